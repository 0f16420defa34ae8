"""Options and fixtures that the tests share."""

from __future__ import annotations

from typing import Any

import pytest

import corpus


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update-golden", action="store_true", help="rewrite the golden texts and the literate answers")


@pytest.fixture
def update_golden(request: pytest.FixtureRequest) -> bool:
    return bool(request.config.getoption("--update-golden"))


@pytest.fixture(scope="session")
def oracle() -> Any:
    if not corpus.has_torch():
        pytest.skip(corpus.NEEDS_TORCH)
    return corpus.oracle()
