"""Why something asked of the casework room was not done. Each carries the sentences a person reads."""

from __future__ import annotations

from collections.abc import Sequence

from workflows.grammar import MOVED, UNMET, Refusal


class StepRefused(Exception):
    """The law says no; `refusals` say why. Nothing has been written."""

    def __init__(self, refusals: Sequence[Refusal]) -> None:
        super().__init__("；".join(refusal.text for refusal in refusals))
        self.refusals = tuple(refusals)


class CaseHasMoved(StepRefused):
    """The case is not as it was when the form was shown: somebody else has acted meanwhile."""

    def __init__(self, who: str, what: str, when: object) -> None:
        values = {"who": who, "what": what, "when": when}
        text = "{who}刚刚办理了此件（{when}，{what}）。您这次没有提交成功，填写的内容已保留。"
        super().__init__([Refusal(MOVED, text, values, "D", "STALE")])
        self.who, self.what, self.when = who, what, when


class KeyReused(StepRefused):
    """The key of a form came back with other answers."""

    def __init__(self) -> None:
        text = "同一张表单已经用别的内容提交过。请重新打开页面再办理。"
        super().__init__([Refusal(UNMET, text, {}, "D", "KEY_REUSED")])
