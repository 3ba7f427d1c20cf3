"""One table from what went wrong to what a person reads. Never a stack trace, never a bare code."""

from __future__ import annotations

import logging
import secrets
from dataclasses import dataclass

from flask import Flask, current_app, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_login import current_user
from flask_wtf.csrf import CSRFError
from sqlalchemy.exc import DataError, IntegrityError, OperationalError
from werkzeug.exceptions import HTTPException

from app.casework.facts import NoSuchCase
from app.casework.refused import CaseHasMoved, KeyReused, StepRefused
from app.db import db
from app.problem import for_programs, problem
from app.security import SHEETS, home_of, login_manager, person
from app.views.texts import article, sentence
from workflows.grammar import MOVED, STRANGER, Refusal

log = logging.getLogger("jiannuo")

STATUS_OF = {MOVED: 409, STRANGER: 403}


@dataclass(frozen=True)
class Words:
    """A heading, a sentence that says what happened and what to do."""

    title: object
    sentence: object


WORDS = {
    400: Words(_l("这次请求看不明白"), _l("页面可能打开太久了。请返回重新打开页面再办，填写的内容没有提交。")),
    401: Words(
        _l("请先登录"),
        _l("登录已经失效，内容没有提交。请在另一个标签页登录，然后刷新这一页，填写的内容会再交一次。"),
    ),
    403: Words(_l("这一页不是给您的"), _l("您没有办理这件事的身份。如果应当有，请联系本单位管理员。")),
    404: Words(_l("没有这一页"), _l("地址可能写错了，或者内容您看不到。")),
    405: Words(_l("这一页不能这样打开"), _l("请从页面上的按钮进入。")),
    409: Words(_l("情况已经变了"), _l("别人刚刚办理过，请看一看现在的情况再办。")),
    413: Words(_l("内容太大"), _l("单个文件不超过 10 MB，一次不超过 40 MB。请压缩或者分几次上传。")),
    415: Words(_l("内容的格式不对"), _l("请从页面上的表单提交。")),
    422: Words(_l("还不能这样办"), _l("请按提示改正后再提交。")),
    429: Words(_l("太频繁了"), _l("请过一分钟再试。")),
    500: Words(_l("没有办成"), _l("不是您的问题。没有写入任何内容，请稍后再试；多次不成，请把下面的编号告诉我们。")),
    503: Words(_l("正忙"), _l("系统正在处理别的事，您的内容没有提交。请过一会儿再试。")),
}


def page(status: int, sentence: object = None, reference: str = "") -> ResponseReturnValue:
    """The answer for a status, with a sentence of its own when there is one: a page, or a problem for a program."""
    if for_programs():
        return problem(status, sentence, reference=reference)
    _know_who(status)
    words = WORDS.get(status, WORDS[500])
    steps = [(_("回到首页"), url_for("public.home"))]
    if current_user.is_authenticated:
        steps.insert(0, (_("回到我的页面"), home_of(person())))
    body = render_template(
        "errors/error.html",
        status=status,
        title=words.title,
        sentence=sentence or words.sentence,
        next_steps=steps,
        reference=reference,
    )
    return body, status


def _know_who(status: int) -> None:
    """See who is here, once; nobody, when that is asked of what has just failed."""
    if "_login_user" in g:
        return
    try:
        if status < 500 and current_user.is_authenticated:
            return
    except Exception:  # the page says what went wrong first
        db.session.rollback()
    g._login_user = login_manager.anonymous_user()


def init_errors(app: Flask) -> None:
    """Register the table."""

    @app.errorhandler(StepRefused)
    def _refused(error: StepRefused) -> ResponseReturnValue:
        status = STATUS_OF.get(error.refusals[0].kind, 422)
        return _problem_of(error, status) if for_programs() else page(status, str(error))

    @app.errorhandler(NoSuchCase)
    def _no_case(_error: NoSuchCase) -> ResponseReturnValue:
        return page(404)

    @app.errorhandler(CSRFError)
    def _csrf(_error: CSRFError) -> ResponseReturnValue:
        return page(400)

    @app.errorhandler(401)
    def _sign_in(_error: HTTPException) -> ResponseReturnValue:
        if request.method == "GET" and not for_programs():
            return redirect(url_for("account.login", next=request.full_path.rstrip("?")))
        return page(401)

    @app.errorhandler(HTTPException)
    def _http(error: HTTPException) -> ResponseReturnValue:
        if error.code is None or error.code < 400:
            return error.get_response()
        answer = app.make_response(page(error.code, _too_long() if error.code == 413 else None))
        for name, value in error.get_headers():
            if name in ("Allow", "Retry-After"):
                answer.headers[name] = value
        return answer

    @app.errorhandler(OperationalError)
    def _busy(error: OperationalError) -> ResponseReturnValue:
        db.session.rollback()
        log.warning("database: %s", error.orig)
        answer = app.make_response(page(503))
        answer.headers["Retry-After"] = "5"
        return answer

    @app.errorhandler(DataError)
    def _unkeepable(error: DataError) -> ResponseReturnValue:
        return page(422, _("填写的内容里有不能保存的字符或者数字，没有提交。请返回检查。"), _noted(error))

    @app.errorhandler(IntegrityError)
    def _taken(error: IntegrityError) -> ResponseReturnValue:
        return page(409, reference=_noted(error))

    @app.errorhandler(Exception)
    def _broken(error: Exception) -> ResponseReturnValue:
        return page(500, reference=_noted(error))


def _too_long() -> str | None:
    """What to do with a file of records that is too long for a browser."""
    if request.endpoint not in SHEETS:
        return None
    most = current_app.config["MAX_SHEET"] // 1048576
    return str(_("一次最多 %(most)s MB。请分成几个文件报送，或者请管理员用命令行导入。", most=most))


def _problem_of(error: StepRefused, status: int) -> ResponseReturnValue:
    """What a program is told of a refusal: the same sentences as a page, each with its code and article."""
    if isinstance(error, KeyReused):
        return problem(409, _("同一个幂等键已经用别的内容提交过，请换一个新的键。"), code="KEY_REUSED")
    if isinstance(error, CaseHasMoved):
        values = {"who": error.who, "what": _(error.what), "when": error.refusals[0].values["when"]}
        text = "{who}刚刚办理了此件（{when}，{what}）。没有写入任何内容，请重新读取后再办。"
        return problem(409, sentence(Refusal(MOVED, text, values)), code="STALE")
    said = [{"code": no.code, "detail": sentence(no), "law": article(no.law)} for no in error.refusals]
    return problem(status, _("；").join(no["detail"] for no in said), code=error.refusals[0].code, refusals=said)


def _noted(error: Exception) -> str:
    """Write down what went wrong, one line whatever the address holds; returns the reference a person can quote."""
    db.session.rollback()
    reference = secrets.token_hex(4).upper()
    log.error("%s %s %r", reference, request.method, request.path, exc_info=error)
    return reference
