"""Fixtures of the end-to-end tests. The general ones (run, start, shared, ...) are in tests/conftest.py."""

import pytest


@pytest.fixture
def income(shared):
    """The path of first/income.mlp in a writable copy of the shared files."""
    return shared / "workflows" / "first" / "income.mlp"
