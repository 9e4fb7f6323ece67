// The assignment of rows to columns with the largest sum.

/**
 * The pairs of row and column that add up to the most; every row or every column, whichever are fewer, has one.
 *
 * Source: the Hungarian algorithm with potentials, O(n² m).
 */
export function assign(values: number[][]): [number, number][] {
  const rows = values.length;
  const columns = rows === 0 ? 0 : values[0].length;
  if (rows === 0 || columns === 0) return [];
  if (rows > columns) {
    const turned = Array.from({ length: columns }, (_, j) => values.map((row) => row[j]));
    return assign(turned)
      .map(([column, row]): [number, number] => [row, column])
      .sort((a, b) => a[0] - b[0]);
  }
  const rowPotential = new Float64Array(rows + 1);
  const columnPotential = new Float64Array(columns + 1);
  const rowOf = new Int32Array(columns + 1); // 1-based; 0 is none
  for (let row = 1; row <= rows; row++) augment(values, row, rowOf, rowPotential, columnPotential);
  const pairs: [number, number][] = [];
  for (let column = 1; column <= columns; column++) {
    if (rowOf[column] > 0) pairs.push([rowOf[column] - 1, column - 1]);
  }
  return pairs.sort((a, b) => a[0] - b[0]);
}

/** Finds a place for one more row, along the cheapest path of those that are placed. */
function augment(
  values: number[][],
  row: number,
  rowOf: Int32Array,
  rowPotential: Float64Array,
  columnPotential: Float64Array,
): void {
  const columns = rowOf.length - 1;
  const least = new Float64Array(columns + 1).fill(Infinity);
  const from = new Int32Array(columns + 1);
  const used = new Uint8Array(columns + 1);
  rowOf[0] = row;
  let column = 0;
  do {
    used[column] = 1;
    const current = rowOf[column];
    let delta = Infinity;
    let next = 0;
    for (let j = 1; j <= columns; j++) {
      if (used[j]) continue;
      const cost = -values[current - 1][j - 1] - rowPotential[current] - columnPotential[j];
      if (cost < least[j]) {
        least[j] = cost;
        from[j] = column;
      }
      if (least[j] < delta) {
        delta = least[j];
        next = j;
      }
    }
    for (let j = 0; j <= columns; j++) {
      if (used[j]) {
        rowPotential[rowOf[j]] += delta;
        columnPotential[j] -= delta;
      } else least[j] -= delta;
    }
    column = next;
  } while (rowOf[column] !== 0);
  while (column !== 0) {
    rowOf[column] = rowOf[from[column]];
    column = from[column];
  }
}
