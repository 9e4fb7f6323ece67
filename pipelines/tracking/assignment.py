"""Which row belongs to which column, so that all pairs together are as similar as can be."""

import numpy as np
import numpy.typing as npt

from ...models.types import I64

Matrix = npt.NDArray[np.floating]


def assign(similarity: Matrix, least: float) -> tuple[I64, I64]:
    """The best assignment of N rows to M columns, each to at most one.

    Args:
        similarity: (N, M), from 0; its sum over all pairs is the largest possible.
        least: pairs less similar than this are left out of the result.

    Returns:
        The rows and columns of the pairs, by rows.
    """
    rows, columns = np.flatnonzero((similarity > 0).any(1)), np.flatnonzero((similarity > 0).any(0))
    inner = similarity[np.ix_(rows, columns)]
    if not inner.size:
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    best = inner.argmax(1)
    if len(set(best.tolist())) == len(best):  # everybody has somebody else as the best: mostly so
        first, second = np.arange(len(best)), best
    elif len(rows) > len(columns):
        second, first = _solve(-inner.T)
        order = np.argsort(first)
        first, second = first[order], second[order]
    else:
        first, second = _solve(-inner)
    kept = inner[first, second] >= least
    return rows[first[kept]], columns[second[kept]]


def _solve(cost: Matrix) -> tuple[I64, I64]:
    """Every row's column at the least total cost, for at least as many columns as rows.

    The Hungarian method by shortest augmenting paths (Jonker and Volgenant 1987), one row after the other.
    """
    n, m = cost.shape
    row_price, column_price = np.zeros(n), np.zeros(m)
    owner = np.full(m, -1)  # the row of each column
    for start in range(n):
        distance = np.full(m, np.inf)
        before = np.full(m, -1)  # the column from which the path reaches each column
        done = np.zeros(m, np.bool_)
        row, column, length = start, -1, 0.0
        path_rows, path_lengths = [start], [0.0]
        while True:
            through = length + cost[row] - row_price[row] - column_price
            shorter = ~done & (through < distance)
            distance[shorter], before[shorter] = through[shorter], column
            column = int(np.where(done, np.inf, distance).argmin())
            length = float(distance[column])
            if owner[column] < 0:
                break
            done[column] = True
            row = int(owner[column])
            path_rows.append(row)
            path_lengths.append(length)
        row_price[path_rows] += length - np.array(path_lengths)
        column_price[done] -= length - distance[done]
        while column >= 0:
            earlier = int(before[column])
            owner[column] = start if earlier < 0 else owner[earlier]
            column = earlier
    columns = np.flatnonzero(owner >= 0)
    order = np.argsort(owner[columns])
    return owner[columns][order], columns[order]
