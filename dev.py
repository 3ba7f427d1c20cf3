#!/usr/bin/env python3
"""践诺: every command a developer needs, on nothing but Python 3.11 and its standard library.

    python3 dev.py run      在浏览器里使用：自动装好一切，启动网页与值守进程
    python3 dev.py test     全部测试（其后的参数交给 pytest）
    python3 dev.py lint     代码检查：ruff、mypy、分层规则、流程论证
    python3 dev.py bench    测速
    python3 dev.py draw     重画流程图
    python3 dev.py translations   英文译文：补入新句子，列出还要翻译的
    python3 dev.py ci       lint 加 test

What is missing is set up first: system libraries (apt), the libraries of the lock files (into .venv, every file
checked against its hash), the committed typefaces, compiled translations. What is there is left alone.
"""

from __future__ import annotations

import argparse
import contextlib
import ctypes
import errno
import fcntl
import hashlib
import http.client
import json
import os
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import time
import venv
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from types import FrameType
from xml.sax.saxutils import escape

ROOT = Path(__file__).resolve().parent
TOOLS = ROOT / ".tools"
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
PACKAGES = VENV / "lib" / f"python3.{sys.version_info.minor}"
FLASK: list[str | Path] = [PYTHON, "-m", "flask", "--app", "wsgi"]
BASE_PYTHON = getattr(sys, "_base_executable", None) or sys.executable  # not that of a virtual environment
RUN_LOCK, DEV_LOCK, TOOLS_LOCK = (ROOT / f"{name}.lock" for name in ("requirements", "requirements-dev", "tools"))
FONTS = ROOT / "app" / "static" / "fonts"

# What has to be on the machine, and the Debian package that brings it.
PRINTING = {
    "libgobject-2.0.so.0": "libpango-1.0-0",
    "libpango-1.0.so.0": "libpango-1.0-0",
    "libpangoft2-1.0.so.0": "libpangoft2-1.0-0",
    "libharfbuzz-subset.so.0": "libharfbuzz-subset0",
}
DRAWING = PRINTING | {"libXrender.so.1": "libxrender1"}
TESTING = DRAWING | {
    "libatomic.so.1": "libatomic1",
    "chromium": "chromium",
    "pdftoppm": "poppler-utils",
    "mutool": "mupdf-tools",
    "strace": "strace",
}

START_LIMIT = 90.0
"""Seconds until the web server has to answer."""
STOP_LIMIT = 15.0
"""Seconds a process may take to finish what it is doing before it is killed."""
SAMPLE = "示例接收方 (sample receiver)"


class Trouble(Exception):
    """Something the person at the keyboard has to know or do; the text is all they see."""


def say(text: str) -> None:
    print(text, flush=True)


def call(command: Sequence[str | Path], *, env: dict[str, str] | None = None) -> int:
    return subprocess.run([str(part) for part in command], cwd=ROOT, env=env).returncode


def quietly(command: Sequence[str | Path], what: str, *, env: dict[str, str] | None = None) -> None:
    """Run a command whose output matters only when it fails. Raises Trouble with that output."""
    done = subprocess.run(
        [str(part) for part in command], cwd=ROOT, env=env, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    if done.returncode:
        raise Trouble(f"{what}未成功 (exit {done.returncode}):\n{done.stdout.strip()}")


# --- what the machine must have ------------------------------------------------------------------


def is_missing(need: str) -> bool:
    if ".so" not in need:
        return shutil.which(need) is None
    try:
        ctypes.CDLL(need)
    except OSError:
        return True
    return False


def have_system_packages(needs: dict[str, str]) -> None:
    """Install by apt what is missing, where that is possible without asking; else say which line to paste."""
    packages = sorted({package for need, package in needs.items() if is_missing(need)})
    if (
        not stamped(TOOLS, [TOOLS_LOCK])
        and subprocess.run([BASE_PYTHON, "-c", "import pip"], stderr=subprocess.DEVNULL).returncode
    ):
        packages.append("python3-pip")
    if not packages:
        return
    steps = [
        ["apt-get", "-qq", "update"],
        ["apt-get", "-qq", "-y", "-o", "DPkg::Lock::Timeout=120", "install", "--no-install-recommends", *packages],
    ]
    if shutil.which("apt-get") and may_install():
        say(f"安装系统软件包 / installing system packages: {' '.join(packages)} …")
        sudo = [] if os.geteuid() == 0 else ["sudo", "-n"]
        for step in steps:
            quietly([*sudo, "env", "DEBIAN_FRONTEND=noninteractive", *step], shlex.join(step))
        if still := [need for need in needs if is_missing(need)]:
            raise Trouble(f"安装之后仍缺 / still missing after the installation: {' '.join(still)}")
        return
    line = f"sudo apt-get update && sudo apt-get install -y --no-install-recommends {' '.join(packages)}"
    raise Trouble(
        f"缺少系统软件包，请把下面一行粘贴到终端执行，然后重来：\n"
        f"System packages are missing. Paste this line into a terminal, then try again:\n\n    {line}\n"
    )


def may_install() -> bool:
    if os.geteuid() == 0:
        return True
    return (
        bool(shutil.which("sudo")) and subprocess.run(["sudo", "-n", "true"], stderr=subprocess.DEVNULL).returncode == 0
    )


# --- the libraries -------------------------------------------------------------------------------


def digest(paths: Iterable[Path]) -> str:
    total = hashlib.sha256()
    for path in paths:
        total.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return total.hexdigest()


def marks(locks: Iterable[Path]) -> list[str]:
    return [f"{lock.name} {digest([lock])}" for lock in locks]


def stamped(folder: Path, locks: Iterable[Path]) -> bool:
    """Whether the folder was filled from exactly these locks."""
    stamp = folder / ".stamp"
    return stamp.exists() and set(marks(locks)) <= set(stamp.read_text().splitlines())


@contextlib.contextmanager
def alone() -> Iterator[None]:
    """Two commands started at once set up one after the other."""
    with open(__file__, "rb") as own:
        fcntl.flock(own, fcntl.LOCK_EX)
        yield


def have_libraries(lock: Path) -> None:
    """Fill .venv from a lock. The development lock holds all that the other one holds, so it serves `run` too."""
    satisfied = [RUN_LOCK] if lock == RUN_LOCK else [RUN_LOCK, DEV_LOCK]
    whole = PYTHON.exists() and PACKAGES.exists()  # not made for a Python that has been replaced since
    if whole and stamped(VENV, satisfied):
        return
    say("安装程序库（核对哈希）/ installing libraries, checked against their hashes …")
    env = os.environ | pip_says()
    if not stamped(TOOLS, [TOOLS_LOCK]):
        shutil.rmtree(TOOLS, ignore_errors=True)
        pip = [BASE_PYTHON, "-m", "pip", "install", "-qq", "--no-deps", "--require-hashes", "--only-binary", ":all:"]
        if call([*pip, "--target", TOOLS, "-r", TOOLS_LOCK], env=env) == 0:
            (TOOLS / ".stamp").write_text("\n".join(marks([TOOLS_LOCK])))
    (VENV / ".stamp").unlink(missing_ok=True)
    if not whole:
        venv.EnvBuilder(clear=True, symlinks=True, with_pip=False).create(VENV)
    # `run` adds and never takes away: it must not pull the tools from under somebody who tests in the same folder.
    how: list[str | Path] = ["install", "-r", lock] if lock == RUN_LOCK else ["sync", lock]
    uv: list[str | Path] = [
        TOOLS / "bin" / "uv",
        "pip",
        *how,
        "-q",
        "--python",
        PYTHON,
        "--system-certs",
        "--require-hashes",
    ]
    if not (TOOLS / "bin" / "uv").exists() or call([*uv, "--only-binary", ":all:"], env=env) != 0:
        say("改用 pip（较慢）/ falling back to pip, which is slower …")
        pip = [BASE_PYTHON, "-m", "pip", "--python", PYTHON, "install", "-q", "--require-hashes", "--prefer-binary"]
        if call([*pip, "-r", lock], env=env) != 0:
            raise Trouble("程序库没有装上，原因见上。/ The libraries could not be installed; the reason stands above.")
    (VENV / ".stamp").write_text("\n".join(marks(satisfied)))


def pip_says() -> dict[str, str]:
    """pip's own settings (index, certificate), handed over to uv, which does not read them."""
    listed = subprocess.run(
        [BASE_PYTHON, "-m", "pip", "config", "list"], text=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ).stdout
    settings = dict(line.split("=", 1) for line in listed.splitlines() if "=" in line)
    env = {"PIP_ROOT_USER_ACTION": "ignore", "PIP_DISABLE_PIP_VERSION_CHECK": "1", "UV_PYTHON_DOWNLOADS": "never"}
    for variable, key in (("UV_DEFAULT_INDEX", "index-url"), ("SSL_CERT_FILE", "cert")):
        for level in (":env:", "install", "global"):
            value = settings.get(f"{level}.{key}", "").strip("'\"")
            if value and variable not in os.environ and variable not in env:
                env[variable] = value
    return env


# --- typefaces and translations ------------------------------------------------------------------


def font_settings() -> Path:
    """The fontconfig file that names the committed typefaces and no others, so that paper looks alike everywhere.

    fontconfig remembers what a font covers by the time of its folder; hence one cache for each state of the folder.
    """
    state = repr(sorted((f.name, f.stat().st_size, f.stat().st_mtime_ns) for f in FONTS.iterdir()))
    cache = VENV / "fontcache" / hashlib.sha256(state.encode()).hexdigest()[:16]
    aliases = "".join(
        f"<alias binding='strong'><family>{generic}</family><prefer><family>{family}</family></prefer></alias>"
        for generic, family in (
            ("serif", "Noto Serif SC"),
            ("sans-serif", "Noto Sans SC"),
            ("system-ui", "Noto Sans SC"),
            ("monospace", "Noto Sans SC"),
        )
    )
    text = (
        "<?xml version='1.0'?><!DOCTYPE fontconfig SYSTEM 'fonts.dtd'><fontconfig>"
        f"<dir>{escape(str(FONTS))}</dir><cachedir>{escape(str(cache))}</cachedir>{aliases}</fontconfig>\n"
    )
    file = VENV / "fonts.conf"
    if not file.exists() or file.read_text() != text:
        file.write_text(text)
    return file


def compile_translations() -> None:
    folder = ROOT / "app" / "translations"
    for source in folder.glob("*/LC_MESSAGES/*.po"):
        compiled = source.with_suffix(".mo")
        if not compiled.exists() or compiled.stat().st_mtime < source.stat().st_mtime:
            quietly([PYTHON, "-m", "babel.messages.frontend", "compile", "-d", folder], "编译译文")
            return


STRANGE = ("PYTHONPATH", "PYTHONHOME", "PYTHONDONTWRITEBYTECODE")
"""What the surroundings say about Python and does not hold for ours."""


def set_up(lock: Path, needs: dict[str, str]) -> dict[str, str]:
    """Everything a command needs; returns the environment in which its processes run."""
    if sys.version_info < (3, 11):  # noqa: UP036 (this is the line that says so)
        raise Trouble(
            f"需要 Python 3.11 或更新版本，这里是 {sys.version.split()[0]}。/ Python 3.11 or newer is needed."
        )
    with alone():
        have_system_packages(needs)
        have_libraries(lock)
        compile_translations()
        fonts = font_settings()
    env = {name: value for name, value in os.environ.items() if name not in STRANGE}
    return env | {
        "FONTCONFIG_FILE": str(fonts),
        "PATH": f"{VENV / 'bin'}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
        # Where a machine forbids bytecode beside its source, every process would compile every library anew.
        "PYTHONPYCACHEPREFIX": str(VENV / "bytecode"),
        "PYTHONUNBUFFERED": "1",
        "VIRTUAL_ENV": str(VENV),
    }


# --- run -----------------------------------------------------------------------------------------


def run(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser("python3 dev.py run", description="启动网页与值守进程；Ctrl-C 停止。")
    parser.add_argument("--port", type=int, help="端口；不写则用 5080，已被占用时用其后第一个空闲端口")
    parser.add_argument("--host", default="127.0.0.1", help="监听地址，默认 127.0.0.1（仅本机）")
    parser.add_argument("--instance", type=Path, default=ROOT / "instance", help="数据库、文书和密钥的文件夹")
    parser.add_argument("--database", metavar="URL", help="其他数据库，如 postgresql://…；默认是该文件夹里的 SQLite")
    parser.add_argument("--empty", action="store_true", help="不放演示数据")
    wanted = parser.parse_args(arguments)
    port = free_port(wanted.host, wanted.port)
    instance: Path = wanted.instance.expanduser().resolve()
    env = set_up(RUN_LOCK, PRINTING) | {"JIANNUO_INSTANCE": str(instance)}
    if wanted.database:
        env["JIANNUO_DATABASE_URL"] = wanted.database
    else:
        env.pop("JIANNUO_DATABASE_URL", None)
    visible = visible_host(wanted.host)
    address = f"http://{f'[{visible}]' if ':' in visible else visible}:{port}"
    env.setdefault("JIANNUO_PUBLIC_ADDRESS", address)
    if not wanted.empty:  # the demonstration's receiver stands on this machine
        env.setdefault("JIANNUO_PRIVATE_RECEIVERS", "1")
    try:
        with quiet_stop():
            fill_instance(instance, env, own_database=not wanted.database, empty=wanted.empty)
            return stand_watch(instance, env, wanted.host, port, address, sample_receiver(instance, wanted.empty))
    except Stop:
        return 0


def free_port(host: str, wanted: int | None) -> int:
    for port in [wanted] if wanted is not None else range(5080, 5100):
        if not 0 < port < 65536:
            raise Trouble(f"端口应在 1 到 65535 之间，不能是 {port}。/ {port} is not a port.")
        try:
            family, kind, protocol, _, place = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
            with socket.socket(family, kind, protocol) as trial:
                trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                trial.bind(place)
                return port
        except PermissionError:
            raise Trouble(f"没有权限使用端口 {port}。/ No permission to use port {port}.") from None
        except OSError as error:
            if isinstance(error, socket.gaierror) or error.errno != errno.EADDRINUSE:
                raise Trouble(f"不能在 {host} 上监听：{error.strerror}。/ Cannot listen on {host}.") from None
    if wanted is not None:
        raise Trouble(
            f"端口 {wanted} 已被占用，请换一个 --port。/ Port {wanted} is in use; choose another with --port."
        )
    raise Trouble("端口 5080 至 5099 都已被占用，请用 --port 指定。/ Ports 5080–5099 are in use; give one with --port.")


def fill_instance(instance: Path, env: dict[str, str], *, own_database: bool, empty: bool) -> None:
    """Bring the database up to date and put the demo data in. Both commands may be repeated without harm; on our own
    SQLite file they are skipped when nothing has changed since, which saves two starts of Python."""
    database, run_folder = instance / "jiannuo.db", instance / "run"
    stamp, begun = run_folder / "prepared", run_folder / "seeding"
    os.umask(0o077)
    try:
        run_folder.mkdir(parents=True, exist_ok=True)
        instance.chmod(0o700)
        stamp.touch()
    except OSError as error:
        raise Trouble(f"不能使用文件夹 {instance}：{error.strerror}。/ Cannot use this folder.") from None
    if own_database and begun.exists():
        say("上次准备演示数据时中断了，从头再来。/ The demo data was interrupted last time; it is made anew.")
        for path in (*instance.glob("jiannuo.db*"), *instance.glob("documents/*"), *instance.glob("uploads/*"), stamp):
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        begun.unlink()
    new = own_database and not database.exists()
    known = set(stamp.read_text().splitlines()) if own_database and not new else set()
    schema, demo = (f"{folder} {digest(sources(folder))}" for folder in ("migrations", "app/seeds"))
    if schema not in known:
        say("准备数据库 …")
        quietly([*FLASK, "db", "upgrade"], "准备数据库", env=env)
    if not empty and demo not in known:
        say("准备演示数据（第一次约需半分钟）…")
        if new:
            begun.touch()
        quietly([*FLASK, "seed"], "准备演示数据", env=env)
        begun.unlink(missing_ok=True)
    if own_database:
        stamp.write_text("\n".join(sorted({schema} | ({demo} if not empty or demo in known else set()))) + "\n")


def sources(folder: str) -> list[Path]:
    return sorted(p for p in (ROOT / folder).rglob("*") if p.is_file() and "__pycache__" not in p.parts)


class Stop(BaseException):
    """The person, or the system, asked us to stop."""


@contextlib.contextmanager
def quiet_stop() -> Iterator[None]:
    """Ctrl-C, SIGTERM and a closed terminal all raise Stop, once."""

    def stop(_number: int, _frame: FrameType | None) -> None:
        for each in numbers:
            signal.signal(each, signal.SIG_IGN)
        raise Stop

    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = {number: signal.signal(number, stop) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def die_with_parent() -> None:
    """In the child: be told to stop when dev.py itself is killed, so that no process is left behind (Linux)."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(1, signal.SIGTERM)  # PR_SET_PDEATHSIG


def sample_receiver(instance: Path, empty: bool) -> int | None:
    """The port of the demonstration's own receiver; None without one, or when somebody else has taken the port."""
    settings = instance / "run" / "receiver.json"
    if empty or not settings.exists():
        return None
    port = int(json.loads(settings.read_text())["port"])
    try:
        return free_port("127.0.0.1", port)
    except Trouble:
        say(
            f"示例接收方的端口 {port} 被占用，这次不启动；给它的通知会等着。/ Port {port} is taken: no sample receiver."
        )
        return None


def stand_watch(
    instance: Path, env: dict[str, str], host: str, port: int, address: str, sample: int | None = None
) -> int:
    """Run worker and web server side by side, and beside them the sample receiver on port `sample`, until one of the
    two ends or somebody asks us to stop. The sample may end by itself; what is for it waits."""
    (instance / "run" / "heartbeat").unlink(missing_ok=True)  # the web server waits for the one of this start
    commands: dict[str, list[str | Path]] = {
        "值守进程 (worker)": [*FLASK, "watch"],
        "网页服务 (web server)": [PYTHON, "-m", "app.serve", "--host", host, "--port", str(port)],
    }
    if sample is not None:
        settings = instance / "run" / "receiver.json"
        commands[SAMPLE] = [PYTHON, ROOT / "examples" / "receiver" / "receiver.py", settings, "--house", address]
    running: dict[str, subprocess.Popen[bytes]] = {}
    try:
        for name, command in commands.items():
            running[name] = subprocess.Popen(
                [str(part) for part in command], cwd=ROOT, env=env, start_new_session=True, preexec_fn=die_with_parent
            )
        deadline, announced = time.monotonic() + START_LIMIT, False
        while not (
            ended := [name for name, process in running.items() if process.poll() is not None and name != SAMPLE]
        ):
            if not announced and answers(host, port):
                welcome(instance, address, sample)
                announced = True
            elif not announced and time.monotonic() > deadline:
                raise Trouble(f"{START_LIMIT:.0f} 秒内没有启动成功。/ Not started within {START_LIMIT:.0f} seconds.")
            time.sleep(0.3 if announced else 0.05)
        raise Trouble(
            f"{ended[0]}已退出 (exit {running[ended[0]].returncode})，其余随之停止。/ It ended; all is stopped."
        )
    except Stop:
        say("\n正在停止 / stopping …")
        raise
    finally:
        end(running.values())


def welcome(instance: Path, address: str, sample: int | None) -> None:
    """Say where the house is and, when it holds the demo, where its receiver is and as whom one may come in."""
    say(f"\n践诺已启动 / Jiannuo is running:  {address}/")
    if sample is not None:
        say(f"示例接收方（省公共资源交易中心）/ sample receiver:  http://127.0.0.1:{sample}/")
    if (people := instance / "run" / "sign-ins.txt").exists():
        say("演示账号：账号、密码、身份 / demo sign-ins: name, password, who it is")
        say("\n".join(f"    {line}" for line in people.read_text().expandtabs(16).splitlines()))
    say("按 Ctrl-C 停止 / Ctrl-C stops it.\n")


def visible_host(host: str) -> str:
    """Where a browser on this machine finds a server that listens on `host`."""
    return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)


def answers(host: str, port: int) -> bool:
    connection = http.client.HTTPConnection(visible_host(host), port, timeout=2)
    try:
        connection.request("GET", "/health")
        return connection.getresponse().status < 500
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def end(processes: Iterable[subprocess.Popen[bytes]]) -> None:
    """Ask each process to finish what it is doing, then insist."""
    processes = list(processes)
    for process in processes:
        if process.poll() is None:
            process.terminate()
    deadline = time.monotonic() + STOP_LIMIT
    for process in processes:
        try:
            process.wait(max(0.1, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


# --- the other commands --------------------------------------------------------------------------


def test(arguments: Sequence[str]) -> int:
    env = set_up(DEV_LOCK, TESTING)
    # One more than the cores of a small machine: some tests wait for a receiver, a browser, a process that was killed.
    return call([PYTHON, "-m", "pytest", "-n", "3", "--dist", "worksteal", *arguments], env=env)


def lint(arguments: Sequence[str]) -> int:
    if arguments:
        raise Trouble("lint 不带参数。/ lint takes no arguments.")
    env = set_up(DEV_LOCK, {})
    checks = {
        "ruff check": ["ruff", "check", "-q"],
        "ruff format": ["ruff", "format", "--check"],
        "mypy": ["mypy"],
        "import-linter": ["lint-imports", "--no-logo", "--no-cache"],
        "流程论证 (proof)": ["pytest", "-q", "tests/workflows/test_proof.py"],
    }
    failed = []
    for name, (program, *rest) in checks.items():
        say(f"— {name}")
        if call([VENV / "bin" / program, *rest], env=env) != 0:
            failed.append(name)
    if failed:
        raise Trouble(f"未通过 / failed: {'、'.join(failed)}")
    return 0


def bench(arguments: Sequence[str]) -> int:
    return call([PYTHON, "-m", "bench", *arguments], env=set_up(DEV_LOCK, PRINTING))


def draw(arguments: Sequence[str]) -> int:
    return call([*FLASK, "draw", *arguments], env=set_up(DEV_LOCK, DRAWING))


def translations(arguments: Sequence[str]) -> int:
    return call([PYTHON, "-m", "app.translations.catalogue", *arguments], env=set_up(DEV_LOCK, {}))


def ci(arguments: Sequence[str]) -> int:
    return lint([]) or test(arguments)


COMMANDS = {
    "run": run,
    "test": test,
    "lint": lint,
    "bench": bench,
    "draw": draw,
    "translations": translations,
    "ci": ci,
}


def main(arguments: Sequence[str]) -> int:
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="replace")  # type: ignore[union-attr]
    if not arguments or arguments[0] not in COMMANDS:
        say((__doc__ or "").strip())
        return 0 if not arguments or arguments[0] in ("-h", "--help", "help") else 2
    try:
        return COMMANDS[arguments[0]](arguments[1:])
    except Trouble as trouble:
        print(trouble, file=sys.stderr, flush=True)
        return 1
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
