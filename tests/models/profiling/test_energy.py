"""Energy comes from the counters that Linux shows, or from nowhere."""

from sepcam.models.profiling.energy import EnergyMeter


def zone(root, name, microjoules, most=None):
    folder = root / name
    folder.mkdir(exist_ok=True)
    (folder / "energy_uj").write_text(str(microjoules))
    if most is not None:
        (folder / "max_energy_range_uj").write_text(str(most))


def test_all_packages_are_added_up_and_their_parts_are_not(tmp_path):
    for name in ("intel-rapl:0", "intel-rapl:1", "intel-rapl:0:0"):
        zone(tmp_path, name, 1_000_000)
    meter = EnergyMeter(tmp_path)
    before = meter.read()
    for name in ("intel-rapl:0", "intel-rapl:1", "intel-rapl:0:0"):
        zone(tmp_path, name, 3_500_000)
    assert meter.joules_since(before) == 5.0


def test_a_counter_may_start_again(tmp_path):
    zone(tmp_path, "intel-rapl:0", 9_000_000, most=10_000_000)
    meter = EnergyMeter(tmp_path)
    before = meter.read()
    zone(tmp_path, "intel-rapl:0", 1_000_000, most=10_000_000)
    assert meter.joules_since(before) == 2.0


def test_without_readable_counters_there_is_no_figure(tmp_path):
    zone(tmp_path, "intel-rapl:0", "?")
    for root in (tmp_path, tmp_path / "missing"):
        meter = EnergyMeter(root)
        assert not meter.available
        assert meter.joules_since(meter.read()) is None
