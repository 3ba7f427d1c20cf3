"""The people of the demonstration: who they are, for whom they may act, in which office they serve. All invented.

Pure data: no passwords, no database. Passwords are made anew for every instance by whoever plants these rows.
"""

from dataclasses import dataclass, field
from datetime import date

from app.registry.codes import complete_code
from app.seeds.invent import PHONE, InventedSubject, id_number_of

DEPARTMENT = "jt-430000"
CHANGSHA = "jt-430100"
SINCE = date(2026, 1, 1)


@dataclass(frozen=True)
class CastMandate:
    """May act for a subject of `SUBJECTS`: capacity is legal_representative, clerk or administrator."""

    subject: str
    capacity: str
    evidence: str
    since: date = SINCE
    until: date | None = None


@dataclass(frozen=True)
class CastMembership:
    """Serves in an office of `offices.csv` in a role."""

    office: str
    role: str
    since: date = SINCE
    until: date | None = None


@dataclass(frozen=True)
class CastPerson:
    """Somebody who signs in; `part` says in a few words who this is in the story, for the list of sign-ins."""

    login: str
    name: str
    part: str
    mandates: tuple[CastMandate, ...] = ()
    memberships: tuple[CastMembership, ...] = ()
    phone: str = field(default=PHONE)


def _enterprise(name: str, region: str, serial: int, domain: str, legal_representative: str) -> InventedSubject:
    code = complete_code(f"91{region}JN{900000 + serial}")
    return InventedSubject("enterprise", name, region, domain, code, legal_representative=legal_representative)


# Serials from 900001 on and the order 999 are kept for the cast: `Inventor` stays below them.
SUBJECTS: dict[str, InventedSubject] = {
    "yueheng": _enterprise("湖南岳衡物流有限公司", "430600", 1, "道路货物运输", "罗建平"),
    "zhaomei": _enterprise("长沙昭湄客运有限责任公司", "430100", 2, "道路旅客运输", "肖岚"),
    "lulan": _enterprise("株洲渌岚路桥建设有限公司", "430200", 3, "公路施工", "曾毅"),
    "langyan": _enterprise("湖南崀䶮危险品运输有限公司", "430500", 4, "道路危险货物运输", "龚䶮"),
    "longname": _enterprise(
        "湖南省湘沩澧湄沅麓综合交通运输与多式联运供应链管理服务（集团）股份有限公司湘西土家族苗族自治州花垣县边城物流园第一分公司",
        "433100",
        5,
        "道路货物运输",
        "石禾",
    ),
    "yuanlu": InventedSubject(
        "sole_trader",
        "岳阳县沅麓汽修店",
        "430621",
        "个体维修",
        complete_code("92430621JN900006"),
        legal_representative="彭大海",
    ),
    "zhaoyu": InventedSubject(
        "institution",
        "湘潭昭屿公路试验检测中心",
        "430300",
        "公路水运试验检测",
        complete_code("12430300JN900007"),
        legal_representative="谭静",
    ),
    "longxiaojun": InventedSubject(
        "person", "龙小军", "430626", "个体货运", id_number=id_number_of(date(1988, 3, 12), 999)
    ),
}

_LICENCE = "营业执照载明的法定代表人，电子营业执照核验（演示）"
_LETTER = "授权委托书（演示）"

FILERS: tuple[CastPerson, ...] = (
    CastPerson(
        "luojianping", "罗建平", "湖南岳衡物流法定代表人", (CastMandate("yueheng", "legal_representative", _LICENCE),)
    ),
    CastPerson(
        "dengmin",
        "邓敏",
        "湖南岳衡物流经办人",
        (CastMandate("yueheng", "clerk", _LETTER), CastMandate("longname", "clerk", _LETTER)),
    ),
    CastPerson("hechuan", "何川", "另一家企业（长沙昭湄客运）经办人", (CastMandate("zhaomei", "clerk", _LETTER),)),
    CastPerson(
        "chengyuan",
        "程远",
        "株洲渌岚路桥破产管理人",
        (CastMandate("lulan", "administrator", "人民法院指定管理人决定书（演示）"),),
    ),
    CastPerson(
        "pengdahai", "彭大海", "岳阳县沅麓汽修店经营者", (CastMandate("yuanlu", "legal_representative", _LICENCE),)
    ),
    CastPerson(
        "tanjing", "谭静", "湘潭昭屿检测中心法定代表人", (CastMandate("zhaoyu", "legal_representative", _LICENCE),)
    ),
    CastPerson(
        "gongyan", "龚䶮", "湖南崀䶮危险品运输法定代表人", (CastMandate("langyan", "legal_representative", _LICENCE),)
    ),
    CastPerson("hejing", "何静", "刚注册的企业用户：一项代办申请没有通过，一项等着核对"),
)


def _officer(login: str, name: str, part: str, office: str, *roles: str) -> CastPerson:
    return CastPerson(login, name, part, memberships=tuple(CastMembership(office, role) for role in roles))


OFFICERS: tuple[CastPerson, ...] = (
    _officer("lihao", "李昊", "省厅受理员", DEPARTMENT, "acceptance"),
    _officer("zhoumin", "周敏", "省厅审核员", DEPARTMENT, "review"),
    _officer("chenli", "陈立", "省厅确认人", DEPARTMENT, "confirmation"),
    _officer("helan", "贺岚", "省厅信息处理员", DEPARTMENT, "processing"),
    _officer("tangwen", "唐文", "省厅负责人", DEPARTMENT, "head"),
    _officer("longhai", "龙海", "省厅副职，兼审核与确认", DEPARTMENT, "review", "confirmation"),
    _officer("jianglv", "蒋律", "省厅法制处", DEPARTMENT, "legal"),
    _officer("shengong", "沈工", "平台管理员", DEPARTMENT, "administrator"),
    _officer("pengshan", "彭珊", "长沙市局受理员", CHANGSHA, "acceptance"),
    _officer("ouyangchen", "欧阳晨", "长沙市局审核员", CHANGSHA, "review"),
    _officer("yifan", "易凡", "长沙市局确认人", CHANGSHA, "confirmation"),
    _officer("wenjing", "文静", "长沙市局信息处理员", CHANGSHA, "processing"),
    _officer("tanfeng", "谭峰", "长沙市局负责人", CHANGSHA, "head"),
    _officer("xieting", "谢婷", "联动部门（省市场监管局）经办：窗口回执、对账、订阅", "lk-market", "linked"),
    _officer("luowei", "罗苇", "联动部门（省公共资源交易中心）经办：接口推送到示例接收方", "lk-resources", "linked"),
    _officer("jiangyu", "江宇", "联动部门（省高级人民法院）经办：一个月没有来取，等着补收", "lk-court", "linked"),
    CastPerson(
        "daikun",
        "戴坤",
        "四个联动部门的经办，可以换单位：查找不到、不予办理、送达失败各一件",
        memberships=tuple(
            CastMembership(office, "linked") for office in ("lk-housing", "lk-pboc", "lk-traffic-police", "lk-water")
        ),
    ),
)

PEOPLE: tuple[CastPerson, ...] = FILERS + OFFICERS
