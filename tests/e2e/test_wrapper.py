"""./mlpc sets up and builds when something is newer than its stamp; otherwise it only passes on."""

import pathlib
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]


@pytest.fixture
def wrapper():
    stamp = ROOT / "build" / "release" / ".stamp"
    sources = [ROOT / name for name in ("CMakeLists.txt", "CMakePresets.json", "cmake", "cli", "compiler", "runtime", "kernels", "grammar", "stdlib")]
    newest = max(p.stat().st_mtime for source in sources for p in [source, *source.rglob("*")])
    if not stamp.exists() or stamp.stat().st_mtime < newest:
        pytest.skip("the release build is not up to date; the wrapper would build it")
    return ROOT / "mlpc"


def test_the_wrapper_passes_on_arguments_output_and_exit_code(wrapper, tmp_path):
    (tmp_path / "two words.mlp").write_text("workflow w\nfeature f of nothing { x }\n", encoding="utf-8")
    done = subprocess.run([str(wrapper), "check", "two words.mlp", "--format", "json"], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 1
    assert '"E0201"' in done.stdout


def test_the_wrapper_works_through_a_link(wrapper, tmp_path):
    link = pathlib.Path(tmp_path / "mlpc")
    link.symlink_to(wrapper)
    done = subprocess.run([str(link), "version"], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0 and done.stdout.startswith("mlpc ")
