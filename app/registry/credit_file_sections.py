"""The sections of a credit file, in the order of 信用中国 and then those of transport, and where each is fed from."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Section:
    """A section: its key in addresses, its title, the kind of record that fills it ("" for none of the register's),
    and what is said when there is nothing in it. `inner` ones are for the subject and officers only."""

    key: str
    title: str
    kind: str
    source: str
    inner: bool = False


SECTIONS = (
    Section("permits", "行政许可", "permit", "数据来自作出许可决定的交通运输部门。"),
    Section("penalties", "行政处罚", "penalty", "数据来自作出处罚决定的交通运输部门。"),
    Section("honours", "诚实守信", "", "守信典型名单由发布名单的机关提供，还没有接入本平台。"),
    Section("lists", "严重失信主体名单", "list", "数据来自有法律、法规或者党中央、国务院文件依据的名单的认定机关。"),
    Section("abnormal", "经营异常", "", "经营异常名录由市场监管部门认定，请到国家企业信用信息公示系统查询。"),
    Section("commitments", "信用承诺", "", "数据来自本平台收到的信用承诺书。"),
    Section("grades", "信用评价", "", "行业信用评价结果由评定机关公布，还没有接入本平台。"),
    Section("judgments", "司法判决", "", "判决由人民法院公布，请到中国裁判文书网、中国执行信息公开网查询。"),
    Section("other", "其他信息", "repair_breach", "在信用修复中提供虚假材料等失信情况，由认定机关登记。"),
    Section("local", "地方补充内容", "", "湖南省补充目录的信息由省信用平台提供，还没有接入本平台。"),
    Section("licences", "车辆和船舶", "", "车辆、船舶信息由运政系统提供，还没有接入本平台；经营许可见“行政许可”。"),
    Section("staff", "从业人员", "", "从业人员信息由从业资格管理系统提供，还没有接入本平台。"),
    Section("checks", "双随机检查结果", "", "抽查结果由实施检查的交通运输执法机构公布，还没有接入本平台。"),
    Section("measures", "奖惩记录", "", "数据来自采取措施的机关的登记。", inner=True),
    Section("repairs", "修复记录", "", "数据来自本平台办理的信用修复。", inner=True),
    Section("objections", "异议记录", "", "数据来自本平台的异议标注。", inner=True),
    Section("benefits", "信易+ 激励", "", "激励措施由实施单位提供，还没有接入本平台。"),
)  # fmt: skip

SECTION = {section.key: section for section in SECTIONS}
KEY_OF_KIND = {section.kind: section.key for section in SECTIONS if section.kind}
