"""Runs the test suites of one build directory and sums them up.

usage: run_suites.py BUILD_DIR [FILTER]

C++ suites are bin/mlp-unit and bin/mlp-property, pytest suites are tests/{e2e,golden,layers}. Each
writes a JUnit report, from which the failures, the slowest ten and the closing line are taken.
scripts/test.sh is the way to call it.
"""

import os
import pathlib
import random
import subprocess
import sys
import time
import xml.etree.ElementTree as ElementTree
from dataclasses import dataclass, field

ROOT = pathlib.Path(__file__).resolve().parent.parent
CPP_SUITES = {"unit": "mlp-unit", "property": "mlp-property"}
PYTEST_SUITES = ("layers", "golden", "e2e")
NO_TESTS_COLLECTED = 5


@dataclass
class Summary:
    passed: int = 0
    failed: int = 0
    skipped: int = 0
    seconds: list = field(default_factory=list)  # (seconds, suite, test)

    def line(self):
        text = f"{self.passed} passed, {self.failed} failed"
        return f"{text}, {self.skipped} skipped" if self.skipped else text

    def add(self, other):
        self.passed += other.passed
        self.failed += other.failed
        self.skipped += other.skipped
        self.seconds += other.seconds


def read_report(suite, path):
    """The JUnit report at `path`, or None when it is missing or cut off. Sections of one
    C++ test case count as one test each."""
    try:
        cases = ElementTree.parse(path).getroot().iter("testcase")
    except (OSError, ElementTree.ParseError):
        return None
    summary = Summary()
    for case in cases:
        name = f"{case.get('classname', '')} {case.get('name', '')}".strip()
        summary.seconds.append((float(case.get("time") or 0), suite, name))
        troubles = case.findall("failure") + case.findall("error")
        if troubles:
            summary.failed += 1
            if suite in CPP_SUITES:  # pytest has shown its own
                for trouble in troubles:
                    message = (trouble.text or trouble.get("message") or "").strip()
                    print(f"FAILED {suite}: {name}\n{message}\n")
        elif case.find("skipped") is not None:
            summary.skipped += 1
        else:
            summary.passed += 1
    return summary


def run_cpp(suite, binary, report, pattern, env):
    arguments = [str(binary)] + ([f"*{pattern}*"] if pattern else [])
    code = subprocess.run(arguments + ["-r", "junit", "-o", str(report)], cwd=ROOT, env=env).returncode
    summary = read_report(suite, report)
    if summary is None or (code != 0 and summary.failed == 0):
        # It ended before its report was whole: run once more to show where.
        summary = summary or Summary()
        summary.failed += 1
        print(f"FAILED {suite}: {binary.name} ended with code {code} without a whole report; again:")
        sys.stdout.flush()
        subprocess.run(arguments + ["-r", "compact", "-d", "yes"], cwd=ROOT, env=env)
    return summary


def run_pytest(suite, folder, report, pattern, env):
    command = [sys.executable, "-m", "pytest", "-q", "--durations=10", f"--junitxml={report}", str(folder)]
    if pattern:
        command += ["-k", pattern]
    code = subprocess.run(command, cwd=ROOT, env=env).returncode
    summary = read_report(suite, report)
    if summary is None or (code not in (0, NO_TESTS_COLLECTED) and summary.failed == 0):
        summary = summary or Summary()
        summary.failed += 1
        print(f"FAILED {suite}: pytest ended with code {code}")
    return summary


def main():
    build = (ROOT / sys.argv[1]).resolve()
    pattern = sys.argv[2] if len(sys.argv) > 2 else ""
    reports = build / "reports"
    reports.mkdir(parents=True, exist_ok=True)
    env = dict(os.environ, MLPC_BIN=str(build / "bin" / "mlpc"), PYTHONDONTWRITEBYTECODE="1")
    env.setdefault("TSAN_OPTIONS", f"suppressions={ROOT / 'scripts' / 'thread_sanitizer.suppressions'}")
    if "MLP_SANITIZED:BOOL=ON" in (build / "CMakeCache.txt").read_text():
        env["MLP_SANITIZED"] = "1"  # everything takes ten times as long
    env.setdefault("MLP_SEED", str(random.SystemRandom().randrange(2**32)))
    print(f"seed of the random tests: MLP_SEED={env['MLP_SEED']}")

    total = Summary()
    jobs = [(suite, build / "bin" / name, run_cpp) for suite, name in CPP_SUITES.items()]
    jobs += [(suite, ROOT / "tests" / suite, run_pytest) for suite in PYTEST_SUITES]
    for suite, what, run in jobs:
        if not what.exists() or (run is run_pytest and not list(what.rglob("test_*.py"))):
            print(f"== {suite}: no tests")
            continue
        print(f"== {suite}")
        sys.stdout.flush()
        report = reports / f"{suite}.xml"
        report.unlink(missing_ok=True)
        started = time.monotonic()
        summary = run(suite, what, report, pattern, env)
        print(f"== {suite}: {summary.line()} in {time.monotonic() - started:.1f} s")
        total.add(summary)

    print("\nslowest ten")
    for seconds, suite, name in sorted(total.seconds, reverse=True)[:10]:
        print(f"{seconds:8.2f} s  {suite}: {name}")
    print(f"\n{total.line()}")
    return 1 if total.failed or not total.passed else 0


if __name__ == "__main__":
    sys.exit(main())
