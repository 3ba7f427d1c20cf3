"""Every document on paper: what it says, what it is made of, and that two other programs can read it."""

from __future__ import annotations

import json
import re
import subprocess
from datetime import date
from pathlib import Path

import pikepdf
import pypdfium2
import pytest
import zxingcpp
from pikepdf import pdfa
from PIL import Image

from app.documents.press import Sheet, press
from tests.documents.conftest import Printed
from tests.documents.world import ISSUED_BY, NAME
from workflows.calendar import day_start
from workflows.repair import REPAIR

KINDS = tuple(ISSUED_BY)
REMEDY = {"non_acceptance", "grant", "refusal", "refusal_false", "lapse"}
NUMBERS = {
    "receipt": "湘交信修回〔2026〕1号",
    "acceptance": "湘交信修受〔2026〕1号",
    "correction": "湘交信修补〔2026〕1号",
    "non_acceptance": "湘交信修不受〔2026〕1号",
    "transfer": "湘交信修移〔2026〕1号",
    "extension": "湘交信修延〔2026〕1号",
    "finding": "湘交信修拟〔2026〕1号",
    "grant": "湘交信修决〔2026〕1号",
    "refusal": "湘交信修决〔2026〕2号",
    "refusal_false": "湘交信修决〔2026〕3号",
    "withdrawal": "湘交信修撤〔2026〕1号",
    "lapse": "湘交信修弃〔2026〕1号",
    "withdrawn_record": "湘交信修说〔2026〕1号",
}
OURS = {"Noto-Serif-SC", "Noto-Sans-SC", "Jiannuo-Title-SC"}


@pytest.fixture(params=KINDS)
def letter(request: pytest.FixtureRequest, printed: dict[str, Printed]) -> Printed:
    """One document after the other."""
    return printed[request.param]


def pages_of(file: Path) -> list[str]:
    """The text of each page, as PDFium reads it."""
    document = pypdfium2.PdfDocument(file)
    try:
        return [page.get_textpage().get_text_range().replace("\r\n", "\n") for page in document]
    finally:
        document.close()


def words(text: str) -> str:
    """Text without the blanks and line ends of a page."""
    return re.sub(r"\s", "", text)


def test_every_document_of_the_case_type_is_here() -> None:
    assert set(KINDS) == set(REPAIR.documents)
    assert all(kind in REPAIR.step[step].issues for kind, step in ISSUED_BY.items())


def test_a_letter_has_one_or_two_pages(letter: Printed) -> None:
    assert len(pages_of(letter.signed)) in (1, 2)


def test_its_one_h1_is_its_title_and_no_heading_level_is_skipped(letter: Printed) -> None:
    levels = re.findall(r"<h(\d)>(.*?)</h\d>", letter.html)
    assert [text for level, text in levels if level == "1"] == [REPAIR.documents[letter.kind]] == [letter.title]
    assert {level for level, _ in levels} <= {"1", "2"}


def test_it_bears_its_number_its_addressee_its_organ_and_its_code_on_every_page(letter: Printed) -> None:
    pages = [words(page) for page in pages_of(letter.signed)]
    assert letter.number == NUMBERS[letter.kind]
    assert f"{NAME}：" in pages[0] and pages[0].index(letter.number) < pages[0].index(letter.title)
    assert words("湖南省交通运输厅") in pages[0]
    for page in pages:
        assert letter.number in page
        assert letter.code in page
        assert "演示·无效" in page


def test_who_is_affected_by_it_is_told_the_remedy_the_body_and_the_limits(letter: Printed) -> None:
    text = words("".join(pages_of(letter.signed)))
    told = (
        "自收到之日起60日内向湖南省人民政府申请行政复议（可在线提交" in text
        and "6个月内依法向有管辖权的人民法院" in text
    )
    assert told == (letter.kind in REMEDY)


def test_an_article_that_was_not_seen_is_not_printed(printed: dict[str, Printed]) -> None:
    said = {kind: set(re.findall(r"第[一二三四五六七八九十]+条", letter.html)) for kind, letter in printed.items()}
    assert said["grant"] == {"第三条"}
    assert said["withdrawn_record"] == {"第四十八条"}
    assert all(not articles for kind, articles in said.items() if kind not in ("grant", "withdrawn_record"))


def test_only_our_own_faces_are_used_and_embedded(letter: Printed) -> None:
    listed = subprocess.run(["pdffonts", letter.signed], capture_output=True, text=True, check=True).stdout
    rows = [line.split() for line in listed.splitlines()[2:]]
    assert {row[0].split("+", 1)[-1].removesuffix("-Regular") for row in rows} <= OURS
    assert all("TrueType" in line and " yes yes yes " in line for line in listed.splitlines()[2:])


def test_it_is_an_archival_file_before_it_is_signed(letter: Printed) -> None:
    report = pdfa.validate_written(letter.unsigned, "3b")
    assert not report.violations
    assert {finding.rule for finding in report.findings} <= {
        "pikepdf:schema-Resources"
    }  # empty lists it does not judge


def test_it_is_tagged_titled_dated_and_carries_its_facts(letter: Printed) -> None:
    with pikepdf.open(letter.signed) as pdf:
        assert pdf.Root.MarkInfo.Marked and str(pdf.Root.Lang) == "zh-CN"
        info = pdf.docinfo
        assert str(info["/Title"]) == f"{letter.title}（{letter.number}）"
        assert str(info["/Author"]) == "湖南省交通运输厅"
        assert letter.code in str(info["/Keywords"])
        assert str(info["/CreationDate"]).startswith("D:202611") or letter.kind == "lapse"
        attached = pdf.attachments["facts.json"]
        assert str(attached.obj["/AFRelationship"]) == "/Data"
        facts = json.loads(attached.get_file().read_bytes())
    assert facts.pop("key")
    assert facts == letter.facts
    assert NAME not in json.dumps(facts, ensure_ascii=False)


def test_the_same_sheet_printed_again_is_the_same_file(letter: Printed) -> None:
    with pikepdf.open(letter.unsigned) as pdf:
        facts = json.loads(pdf.attachments["facts.json"].get_file().read_bytes())
    issued_at = day_start(date.fromisoformat(facts["dates"]["issued"]))
    once = press(Sheet(letter.html, facts, issued_at))
    assert once == press(Sheet(letter.html, facts, issued_at))


def test_the_code_on_the_page_leads_to_the_page_that_verifies_it(letter: Printed) -> None:
    document = pypdfium2.PdfDocument(letter.signed)
    read = [found.text for page in document for found in zxingcpp.read_barcodes(page.render(scale=200 / 72).to_pil())]
    document.close()
    assert read == [f"https://credit.example/verify/{letter.code}"]


def test_there_is_ink_in_poppler_and_in_mupdf(letter: Printed, tmp_path: Path) -> None:
    for name, command in (
        ("poppler", ["pdftoppm", "-r", "50", "-png", str(letter.signed), str(tmp_path / "poppler")]),
        ("mupdf", ["mutool", "draw", "-q", "-r", "50", "-o", str(tmp_path / "mupdf-%d.png"), str(letter.signed)]),
    ):
        subprocess.run(command, check=True, capture_output=True)
        shares = [ink(file) for file in sorted(tmp_path.glob(f"{name}-*.png"))]
        assert len(shares) == len(pages_of(letter.signed))
        assert all(0.02 < share < 0.25 for share in shares), (name, shares)


def ink(file: Path) -> float:
    """The share of a picture that is clearly darker than paper and watermark."""
    with Image.open(file) as picture:
        grey = picture.convert("L")
        return sum(grey.histogram()[:160]) / (grey.width * grey.height)


def test_the_signature_never_stands_on_a_page_of_its_own(letter: Printed) -> None:
    last = pages_of(letter.signed)[-1]
    above = last[: last.index("扫码核验真伪")]
    lines = [line for line in above.splitlines() if len(words(line).replace("演示·无效", "")) > 1]
    assert len(lines) >= 2, lines


def test_no_page_ends_with_a_heading(letter: Printed) -> None:
    headings = {words(text) for text in re.findall(r"<h2>(.*?)</h2>", letter.html)}
    for page in pages_of(letter.signed)[:-1]:
        body = [words(line) for line in page.splitlines() if words(line) and letter.code not in words(line)]
        assert body[-1] not in headings, body[-1]
