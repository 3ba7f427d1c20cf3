"""What a person types on a fresh machine: dev.py, the locks it installs from, and the house it starts and stops."""

import ast
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

import dev

ROOT = Path(dev.__file__).parent
LOCKS = ("requirements.lock", "requirements-dev.lock", "tools.lock")
PINNED = re.compile(r"^([a-z0-9][a-z0-9._-]*)==([^\s;]+)")


def canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name.split("[")[0]).lower()


def listed(name: str) -> set[str]:
    """The libraries named in a top-level list."""
    lines = (ROOT / name).read_text().splitlines()
    return {canonical(line) for line in lines if line and not line.startswith(("#", "-"))}


def pinned(name: str) -> set[tuple[str, str]]:
    found = (PINNED.match(line) for line in (ROOT / name).read_text().splitlines())
    return {(match[1], match[2]) for match in found if match}


def tracked() -> list[Path]:
    names = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return [ROOT / name for name in names.split("\0") if name and (ROOT / name).is_file()]


def imported(folder: Path) -> set[str]:
    """The top-level modules that the Python files of a folder import."""
    names = set()
    for file in [folder] if folder.is_file() else folder.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                names |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                names.add(node.module.split(".")[0])
    return names


# --- the locks -----------------------------------------------------------------------------------


def test_the_commands_need_nothing_but_the_standard_library():
    assert imported(ROOT / "dev.py") <= set(sys.stdlib_module_names)


@pytest.mark.parametrize("lock", LOCKS)
def test_every_file_that_is_installed_is_checked_against_a_hash(lock):
    entries = re.split(r"\n(?=\S)", (ROOT / lock).read_text().strip())
    assert entries
    for entry in entries:
        assert PINNED.match(entry), entry.splitlines()[0]
        assert "--hash=sha256:" in entry, entry.splitlines()[0]


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_names_no_host(lock):
    assert not re.search(r"://|--(extra-)?index|--find-links|--trusted-host| @ ", (ROOT / lock).read_text())


def test_what_the_tests_install_holds_what_runs_in_the_same_versions():
    assert pinned("requirements.lock") < pinned("requirements-dev.lock")


def test_the_locks_were_made_from_todays_lists():
    assert listed("requirements.in") <= {name for name, _ in pinned("requirements.lock")}
    assert listed("requirements-dev.in") <= {name for name, _ in pinned("requirements-dev.lock")}


def test_what_the_house_imports_is_listed_and_what_is_listed_is_used():
    ours = {"app", "bench", "config", "dev", "examples", "forms", "migrations", "tests", "workflows", "wsgi"}
    ours |= set(sys.stdlib_module_names) | {path.stem for path in (ROOT / "examples").rglob("*.py")}
    distributions = packages_distributions()
    modules = set().union(
        *(imported(ROOT / place) for place in ("app", "examples", "forms", "workflows", "migrations", "config.py"))
    )
    used = {canonical(name) for module in modules - ours for name in distributions[module]}
    drawing_only = {"pygraphviz"}  # imported where the drawings are made, which is no part of the running house
    came_along = {
        "asn1crypto",
        "babel",
        "click",
        "fonttools",
        "jinja2",
        "limits",
        "markupsafe",
        "werkzeug",
        "pyhanko-certvalidator",
        "lxml",
    }
    used_by_others = {"psycopg"}  # by SQLAlchemy, when the address of the database says so
    assert used - came_along - drawing_only <= listed("requirements.in")
    assert listed("requirements.in") - used_by_others <= used


def test_what_the_tests_install_is_used_too():
    tools = {"import-linter", "mypy", "pytest", "pytest-xdist", "ruff"}
    distributions = packages_distributions()
    modules = set().union(*(imported(ROOT / place) for place in ("tests", "bench", "workflows")))
    used = {canonical(name) for module in modules for name in distributions.get(module, ())}
    assert listed("requirements-dev.in") - tools <= used


# --- what is tracked -----------------------------------------------------------------------------


def test_nothing_that_is_tracked_names_a_registry_or_a_path_of_somebodys_machine():
    hosts = [
        ".".join(parts) for parts in (("pypi", "org"), ("pythonhosted", "org"), ("npmjs", "org"), ("debian", "org"))
    ]
    paths = ["/" + "/".join(parts) for parts in (("work", "main"), ("root", ""), ("home", ""), ("opt", "pypi"))]
    wrong = []
    for file in tracked():
        try:
            text = file.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        wrong += [f"{file.relative_to(ROOT)}: {found}" for found in (*hosts, *paths) if found in text]
    assert not wrong


def test_no_private_key_and_no_database_is_tracked():
    marker = b"PRIVATE " + b"KEY-----"
    for file in tracked():
        assert file.suffix not in {".db", ".sqlite", ".sqlite3", ".p12", ".pfx", ".pem", ".key"}, file
        assert marker not in file.read_bytes(), file


def test_ci_runs_the_two_commands_and_stops_at_the_first_failure():
    script = (ROOT / ".ci" / "run").read_text()
    assert os.access(ROOT / ".ci" / "run", os.X_OK)
    assert "set -euo pipefail" in script
    assert re.findall(r"^python3 dev\.py \w+$", script, re.MULTILINE) == ["python3 dev.py lint", "python3 dev.py test"]


# --- setting up ----------------------------------------------------------------------------------


def test_somebody_who_may_not_install_is_given_one_line_to_paste(monkeypatch):
    monkeypatch.setattr(dev, "may_install", lambda: False)
    monkeypatch.setattr(dev, "stamped", lambda *_: True)
    with pytest.raises(dev.Trouble) as trouble:
        dev.have_system_packages({"libnowhere.so.9": "libnowhere9", "no-such-program": "nowhere"})
    pasted = [line.strip() for line in str(trouble.value).splitlines() if "apt-get" in line]
    assert pasted == ["sudo apt-get update && sudo apt-get install -y --no-install-recommends libnowhere9 nowhere"]
    assert "粘贴" in str(trouble.value) and "Paste" in str(trouble.value)


def test_what_is_there_is_not_installed_again(monkeypatch):
    monkeypatch.setattr(dev, "may_install", lambda: pytest.fail("nothing was missing"))
    monkeypatch.setattr(dev, "stamped", lambda *_: True)
    dev.have_system_packages({"libc.so.6": "libc6", "git": "git"})


def test_libraries_are_installed_again_only_when_a_lock_has_changed(tmp_path):
    lock = tmp_path / "some.lock"
    lock.write_text("a==1")
    assert not dev.stamped(tmp_path, [lock])
    (tmp_path / ".stamp").write_text("\n".join(dev.marks([lock])))
    assert dev.stamped(tmp_path, [lock])
    lock.write_text("a==2")
    assert not dev.stamped(tmp_path, [lock])


def test_pips_own_index_and_certificate_are_handed_over(monkeypatch):
    for variable in ("UV_DEFAULT_INDEX", "SSL_CERT_FILE"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("PIP_INDEX_URL", "https://mirror.example/simple")
    monkeypatch.setenv("PIP_CERT", "/etc/ours.pem")
    said = dev.pip_says()
    assert said["UV_DEFAULT_INDEX"] == "https://mirror.example/simple"
    assert said["SSL_CERT_FILE"] == "/etc/ours.pem"
    monkeypatch.setenv("UV_DEFAULT_INDEX", "https://own.example/simple")
    assert "UV_DEFAULT_INDEX" not in dev.pip_says(), "what uv was told directly stands"


def test_the_typefaces_of_the_repository_are_the_only_ones(tmp_path, monkeypatch):
    monkeypatch.setattr(dev, "VENV", tmp_path)
    env = os.environ | {"FONTCONFIG_FILE": str(dev.font_settings())}
    families = subprocess.run(["fc-list", ":", "family"], env=env, capture_output=True, text=True, check=True).stdout
    assert set(families.split("\n")) - {""} == {"Noto Serif SC", "Noto Sans SC", "Jiannuo Title SC", "Jiannuo Song"}


# --- running -------------------------------------------------------------------------------------


def command(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, ROOT / "dev.py", *arguments], capture_output=True, text=True, timeout=60)


def test_a_bare_call_lists_the_commands():
    said = command()
    assert said.returncode == 0
    assert set(re.findall(r"python3 dev\.py (\w+)", said.stdout)) == set(dev.COMMANDS)
    assert command("frobnicate").returncode == 2


def test_a_port_in_use_is_said_in_a_sentence():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        said = command("run", "--port", str(taken.getsockname()[1]))
    assert said.returncode == 1
    assert "已被占用" in said.stderr and "Traceback" not in said.stderr


def test_an_impossible_port_or_host_is_said_in_a_sentence():
    for arguments, sentence in ((("--port", "70000"), "端口应在"), (("--host", "203.0.113.7"), "不能在")):
        said = command("run", *arguments)
        assert said.returncode == 1
        assert sentence in said.stderr and "Traceback" not in said.stderr


def test_without_a_wish_the_next_free_port_is_taken():
    first = dev.free_port("127.0.0.1", None)
    with socket.create_server(("127.0.0.1", first)):
        assert dev.free_port("127.0.0.1", None) > first


@pytest.fixture
def prepared(monkeypatch):
    """Stand-in for the two commands that prepare an instance: a list of those that were called."""
    called: list[str] = []

    def instead(command, what, *, env=None):
        called.append(str(command[-1]))
        Path(env["JIANNUO_INSTANCE"], "jiannuo.db").touch()

    monkeypatch.setattr(dev, "quietly", instead)
    monkeypatch.setattr(dev.os, "umask", lambda mask: mask)
    return called


def fill(instance: Path, *, own_database: bool = True, empty: bool = False) -> None:
    dev.fill_instance(instance, {"JIANNUO_INSTANCE": str(instance)}, own_database=own_database, empty=empty)


def test_an_instance_is_prepared_once_and_again_only_when_something_has_changed(tmp_path, prepared, monkeypatch):
    fill(tmp_path)
    assert prepared == ["upgrade", "seed"]
    fill(tmp_path)
    fill(tmp_path, empty=True)
    assert prepared == ["upgrade", "seed"]
    monkeypatch.setattr(dev, "sources", lambda folder: [Path(dev.__file__)] if folder == "migrations" else [])
    fill(tmp_path, empty=True)
    assert prepared == ["upgrade", "seed", "upgrade"]


def test_an_empty_instance_may_be_given_the_demo_later(tmp_path, prepared):
    fill(tmp_path, empty=True)
    assert prepared == ["upgrade"]
    fill(tmp_path)
    assert prepared == ["upgrade", "seed"]


def test_a_lost_database_and_one_that_is_not_ours_are_always_brought_up_to_date(tmp_path, prepared):
    fill(tmp_path)
    (tmp_path / "jiannuo.db").unlink()
    fill(tmp_path)
    assert prepared == ["upgrade", "seed"] * 2
    fill(tmp_path, own_database=False)
    assert prepared == ["upgrade", "seed"] * 3


def test_demo_data_that_was_interrupted_is_made_anew_but_nothing_else_is_thrown_away(tmp_path, prepared, monkeypatch):
    stand_in = dev.quietly

    def interrupted(command, what, *, env=None):
        stand_in(command, what, env=env)
        if command[-1] == "seed":
            raise dev.Stop

    monkeypatch.setattr(dev, "quietly", interrupted)
    with pytest.raises(dev.Stop):
        fill(tmp_path)
    (tmp_path / "documents").mkdir()
    (tmp_path / "documents" / "half.pdf").touch()
    monkeypatch.setattr(dev, "quietly", stand_in)
    fill(tmp_path)
    assert prepared == ["upgrade", "seed"] * 2
    assert not (tmp_path / "documents" / "half.pdf").exists()

    kept = tmp_path / "kept"
    fill(kept, empty=True)
    (kept / "jiannuo.db").write_text("somebody's work")
    monkeypatch.setattr(dev, "quietly", interrupted)
    with pytest.raises(dev.Stop):
        fill(kept)
    fill(kept, empty=True)
    assert (kept / "jiannuo.db").read_text() == "somebody's work"


def test_the_demonstration_s_receiver_is_started_where_it_was_planted_unless_the_port_is_taken(tmp_path, capsys):
    settings = tmp_path / "run" / "receiver.json"
    settings.parent.mkdir()
    assert dev.sample_receiver(tmp_path, empty=False) is None
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        settings.write_text(json.dumps({"port": port}))
        assert dev.sample_receiver(tmp_path, empty=False) is None
        assert f"端口 {port} 被占用" in capsys.readouterr().out
    assert dev.sample_receiver(tmp_path, empty=False) == port
    assert dev.sample_receiver(tmp_path, empty=True) is None, "whoever wants no demonstration gets none of it"


class House:
    """`dev.py run` on an instance of its own; only the installation is left out, it has been done for these tests."""

    def __init__(self, instance: Path, *arguments: str) -> None:
        driver = (
            "import os, sys, dev\n"
            "dev.set_up = lambda lock, needs: dict(os.environ)\n"
            "dev.PYTHON = sys.executable\n"
            "dev.FLASK[0] = sys.executable\n"
            "sys.exit(dev.main(sys.argv[1:]))\n"
        )
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        self.process = subprocess.Popen(
            [sys.executable, "-c", driver, "run", "--port", str(self.port), "--instance", instance, *arguments],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        self.said = ""

    def __enter__(self) -> "House":
        assert self.process.stdout
        for line in self.process.stdout:
            self.said += line
            if "Ctrl-C" in line:
                return self
        pytest.fail(f"did not start:\n{self.said}")

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.stop(signal.SIGKILL)

    def stop(self, number: int) -> int:
        os.kill(self.process.pid, number)
        rest, _ = self.process.communicate(timeout=40)
        self.said += rest
        return self.process.returncode

    def children(self) -> dict[str, int]:
        """The two processes, by what they do."""
        found = {}
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                parent = re.search(r"^PPid:\s+(\d+)", (folder / "status").read_text(), re.MULTILINE)
                line = (folder / "cmdline").read_text()
            except OSError:
                continue
            if parent and int(parent[1]) == self.process.pid:
                found["web" if "app.serve" in line else "worker"] = int(folder.name)
        return found


def gone(processes: dict[str, int], limit: float = 20) -> bool:
    until = time.monotonic() + limit
    while time.monotonic() < until:
        if not any(Path(f"/proc/{number}").exists() for number in processes.values()):
            return True
        time.sleep(0.1)
    return False


@pytest.fixture(scope="module")
def instance(tmp_path_factory) -> Path:
    """An instance that has been started once, empty, and stopped with Ctrl-C."""
    folder = tmp_path_factory.mktemp("house") / "instance"
    with House(folder, "--empty") as house:
        assert "准备数据库" in house.said
        assert (folder / "run" / "heartbeat").exists(), "the door opens after the first heartbeat"
        with urllib.request.urlopen(f"http://127.0.0.1:{house.port}/health", timeout=20) as answer:
            assert answer.status == 200
        children = house.children()
        assert set(children) == {"web", "worker"}
        assert house.stop(signal.SIGINT) == 0, house.said
        assert gone(children)
        assert "Traceback" not in house.said
    return folder


def test_the_instance_belongs_to_its_owner_alone(instance):
    assert instance.stat().st_mode & 0o777 == 0o700
    for file in instance.rglob("*"):
        assert file.stat().st_mode & 0o077 == 0, file


def test_a_second_start_prepares_nothing_again_and_says_as_whom_one_may_come_in(instance):
    (instance / "run" / "sign-ins.txt").write_text("zhoumin\ta-password\t周敏，审核员\n")
    with House(instance, "--empty") as house:
        assert "准备" not in house.said
        assert re.search(r"^ +zhoumin +a-password +周敏，审核员$", house.said, re.MULTILINE)
        assert house.stop(signal.SIGTERM) == 0, house.said


@pytest.mark.parametrize("which", ["worker", "web"])
def test_when_one_of_the_two_dies_the_other_is_stopped_and_it_is_said(instance, which):
    with House(instance, "--empty") as house:
        children = house.children()
        os.kill(children[which], signal.SIGKILL)
        rest, _ = house.process.communicate(timeout=40)
        assert house.process.returncode == 1
        assert "已退出" in rest and "Traceback" not in rest
        assert gone(children)


def test_nothing_is_left_running_when_the_command_itself_is_killed(instance):
    with House(instance, "--empty") as house:
        children = house.children()
        house.process.kill()
        house.process.wait()
        assert gone(children)


def test_the_door_stays_shut_without_a_worker(tmp_path):
    from app.serve import wait_for_heartbeat

    heartbeat = tmp_path / "heartbeat"
    assert not wait_for_heartbeat(heartbeat, patience=0.2)
    heartbeat.touch()
    os.utime(heartbeat, (time.time() - 3600, time.time() - 3600))
    assert not wait_for_heartbeat(heartbeat, patience=0.2), "a heartbeat of an hour ago does not count"
    heartbeat.touch()
    assert wait_for_heartbeat(heartbeat, patience=0.2)
