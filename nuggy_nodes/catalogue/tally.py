"""What a run has come to, as it goes and at its end."""

from __future__ import annotations

import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

ALL_FAIL = 100  # failures without a success between them that end a run
MOST_REASONS = 1000  # that are counted each by itself
SAID = 60.0  # seconds between two lines of progress where there is no terminal


@dataclass
class Tally:
    """Counts of a run. most: failures that end it, 0 for any number."""

    total: int
    most: int = 0
    done: int = 0
    failed: int = 0
    empty: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    started: float = 0.0  # when the first answers came
    first: int = 0  # how many these were
    running: int = 0  # failures since the last success
    seconds: Counter[str] = field(default_factory=Counter)
    stopped: str = ""
    _bar: Any = None
    _said: float = 0.0

    def begin(self) -> None:
        """Show progress: a bar on a terminal, else a line a minute."""
        from tqdm import tqdm

        self._said = time.monotonic()
        self._bar = tqdm(total=self.total, unit=" photographs", disable=not sys.stderr.isatty(), smoothing=0.02)

    def add(self, rows: pa.Table) -> None:
        """Count answers; sets `stopped` where it is time to end."""
        now = time.monotonic()
        if not self.started:
            self.started, self.first = now, len(rows)
        for error, empty in zip(rows["error"].to_pylist(), rows["empty"].to_pylist()):
            if error is None:
                self.done, self.running = self.done + 1, 0
                self.empty += bool(empty)
            else:
                self.failed, self.running = self.failed + 1, self.running + 1
                if error in self.reasons or len(self.reasons) < MOST_REASONS:
                    self.reasons[error] += 1
        for stage in ("read", "cut", "write"):
            self.seconds[stage] += sum(x or 0 for x in rows[f"{stage}_seconds"].to_pylist())  # type: ignore[assignment]
        if self.most and self.failed >= self.most:
            self.stopped = f"{self.failed} photographs have failed (--max-errors {self.most})"
        elif self.running >= ALL_FAIL:
            self.stopped = f"the last {self.running} photographs have all failed"
        self._bar.update(len(rows))
        self._bar.set_postfix_str(f"{self.failed} failed" if self.failed else "", refresh=False)
        if not sys.stderr.isatty() and now - self._said > SAID:
            self._said, left = now, self.total - self.done - self.failed
            said = f"{self.done + self.failed} of {self.total}, {self.failed} failed"
            if rate := self.rate():
                said += f", {rate:.3g} a second, {left / rate / 3600:.2f} hours left"
            print(f"nuggy: {said}", file=sys.stderr)

    def rate(self) -> float:
        """Photographs a second since the first answers; 0 while there are no others."""
        return max(self.done + self.failed - self.first, 0) / max(time.monotonic() - self.started, 1e-3)

    def end(self) -> None:
        """Take the bar away."""
        self._bar.close()

    def told(self) -> dict[str, Any]:
        """As --json has it."""
        answered = max(self.done + self.failed, 1)
        means = {stage: round(s / answered, 4) for stage, s in self.seconds.items()}
        return {"done": self.done, "failed": self.failed, "empty": self.empty, "seconds_each": means,
                "reasons": dict(self.reasons.most_common(20))}  # fmt: skip
