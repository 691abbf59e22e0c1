"""What stands in deploy/ fits the program: commands, limits, headers, names of metrics; and the tools that read it find nothing wrong."""

import json
import re
import shlex
import shutil
import subprocess
from configparser import RawConfigParser
from pathlib import Path
from typing import Any

import pytest
import yaml
from flask import Flask
from flask.testing import FlaskClient

from checkpoint.config import PROJECT_ROOT
from checkpoint.web import applying, approvals, command, company_desk, inquiries, pass_reports
from checkpoint.web.api import lists, scans
from tests.guards import alerting

DEPLOY = PROJECT_ROOT / "deploy"
UNITS = sorted((DEPLOY / "systemd").glob("*.service"))
SITE = (DEPLOY / "nginx" / "checkpoint.conf").read_text("utf-8")
RULES = DEPLOY / "prometheus" / "checkpoint-alerts.yml"
OF_OTHERS = {"up", "probe_success", "probe_ssl_earliest_cert_expiry"}  # of Prometheus and its blackbox exporter
MIB = 1 << 20
# Where a body may be larger than MAX_BODY_BYTES: an address, and the application's limit in bytes.
LARGE = {
    "/api/v1/scans/batch": scans.MAX_BATCH,
    "/api/v1/risk-lists": lists.MAX_UPLOAD,
    "/command/lists": command.MAX_BYTES + command.UPLOAD_ROOM,
    "/command/inquiries": inquiries.MAX_UPLOAD,
    "/company/import": company_desk.MAX_UPLOAD,
    "/apply/person": applying.PICTURE_ROOM + applying.FORM_ROOM,
    "/apply/lorry": applying.PICTURE_ROOM + applying.FORM_ROOM,
    "/approval/abc/reply": applying.PICTURE_ROOM + applying.FORM_ROOM,
    "/approvals/paper": approvals.MOST_PAGES * approvals.MAX_BYTES + approvals.FORM_ROOM,
    "/approvals/paper/person": approvals.MOST_PAGES * approvals.MAX_BYTES + approvals.FORM_ROOM,
    "/p/abc/appeal": pass_reports.MAX_BYTES + pass_reports.FORM_ROOM,
}
SMALLER = {"checkpoint/web/api/joint.py"}  # its limit lies below MAX_BODY_BYTES
on_sqlite = pytest.mark.parametrize("backend", ["sqlite"], indirect=True)


def needs(program: str, package: str) -> pytest.MarkDecorator:
    return pytest.mark.skipif(shutil.which(program) is None, reason=f"{program} is missing (Debian: {package})")


def run(*command: str | Path, cwd: Path = PROJECT_ROOT) -> str:
    """What a tool says; it must be content."""
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def unit(path: Path) -> RawConfigParser:
    made = RawConfigParser(strict=False)
    made.optionxform = str  # type: ignore[assignment,method-assign]
    made.read_string(path.read_text("utf-8"))
    return made


class TestUnits:
    def test_all_processes_have_one(self) -> None:
        assert [path.stem.removeprefix("checkpoint-") for path in UNITS] == ["backup", "scheduler", "stream", "web"]

    @on_sqlite
    def test_their_commands_are_the_programs_own(self, app: Flask) -> None:
        for path in UNITS:
            words = shlex.split(unit(path)["Service"]["ExecStart"])
            program = words[0].removeprefix("/opt/checkpoint/.venv/bin/")
            if program == "gunicorn":
                assert words[1:] == ["-c", "gunicorn.conf.py", "wsgi:app"]
            else:
                assert words[1:3] == ["--app", "wsgi"]
                found = app.cli.commands[words[3]]
                options = {text for parameter in found.params for text in parameter.opts}
                assert set(words[4:]) <= options

    @pytest.mark.parametrize("path", UNITS, ids=lambda path: path.stem)
    def test_each_is_locked_in(self, path: Path) -> None:
        service = unit(path)["Service"]
        wanted = {"ProtectSystem": "strict", "NoNewPrivileges": "yes", "PrivateTmp": "yes", "User": "checkpoint"}
        assert {name: service.get(name) for name in wanted} == wanted
        assert service["LoadCredential"].split(":")[0] == "checkpoint.key"
        assert "CHECKPOINT_KEY_FILE=%d/checkpoint.key" in path.read_text("utf-8")
        assert service["MemoryMax"]

    def test_the_helper_gives_commands_what_the_services_have(self, tmp_path: Path) -> None:
        (tmp_path / "checkpoint.env").write_text('CHECKPOINT_DATA="/var/lib/a b"\nTRUSTED_PROXIES=1\n')
        (tmp_path / "checkpoint.key").write_text("07" * 32 + "\n")
        (tmp_path / "runuser").write_text('#!/bin/sh\necho "$@"\nenv\n')
        (tmp_path / "runuser").chmod(0o755)
        places = {
            "CHECKPOINT_ETC": str(tmp_path),
            "CHECKPOINT_PROGRAM": str(tmp_path),
            "PATH": f"{tmp_path}:/usr/bin:/bin",
        }
        said = subprocess.run(
            ["sh", DEPLOY / "checkpoint", "users", "list"], env=places, capture_output=True, text=True
        )
        assert said.returncode == 0, said.stderr
        lines = said.stdout.splitlines()
        assert lines[0] == "-u checkpoint -- .venv/bin/flask --app wsgi users list"
        assert {"CHECKPOINT_DATA=/var/lib/a b", "TRUSTED_PROXIES=1", f"CHECKPOINT_KEY={'07' * 32}"} <= set(lines)

    @needs("systemd-analyze", "systemd")
    def test_systemd_reads_them(self, tmp_path: Path) -> None:
        for path in sorted((DEPLOY / "systemd").iterdir()):
            text = path.read_text("utf-8").replace("/opt/checkpoint", str(PROJECT_ROOT))
            (tmp_path / path.name).write_text(text, "utf-8")
        units = sorted(tmp_path.iterdir())
        said = run("systemd-analyze", "verify", "--man=no", *units)
        assert [line for line in said.splitlines() if "checkpoint-" in line] == []
        services = [path for path in units if path.suffix == ".service"]
        for service in services:  # a tenth is best; 20 of 100 is the most that we allow
            run("systemd-analyze", "security", "--offline=yes", "--no-pager", "--threshold=20", service)


class TestNginx:
    def test_each_body_that_the_application_takes_passes(self) -> None:
        for path, limit in LARGE.items():
            assert limit < allowed(path) <= limit + 2 * MIB, path
        assert allowed("/c/G60") == allowed("/api/v1/registrations") == MIB

    def test_no_larger_body_is_forgotten(self) -> None:
        """Whoever raises a limit writes it down here and in the site."""
        raised = {
            str(path.relative_to(PROJECT_ROOT))
            for path in (PROJECT_ROOT / "checkpoint" / "web").rglob("*.py")
            if "request.max_content_length =" in path.read_text("utf-8")
        }
        modules = (applying, approvals, command, company_desk, inquiries, pass_reports, lists, scans)
        assert raised - SMALLER == {module.__name__.replace(".", "/") + ".py" for module in modules}

    @on_sqlite
    def test_its_own_answers_carry_the_applications_headers(self, client: FlaskClient) -> None:
        text = (DEPLOY / "nginx" / "headers.conf").read_text("utf-8")
        said = dict(re.findall(r'^add_header (\S+) "?(.*?)"? always;$', text, re.MULTILINE))
        assert said.pop("Strict-Transport-Security") == "max-age=31536000"
        assert said.pop("X-Request-Id") == "$request_id"
        with client.get("/static/css/base.css") as answer:
            own = answer.headers
        assert said == {name: own[name] for name in said}
        assert {"Content-Security-Policy", "X-Content-Type-Options", "Referrer-Policy", "Permissions-Policy"} <= set(
            said
        )

    @on_sqlite
    def test_its_problems_look_like_the_applications(self, client: FlaskClient) -> None:
        own = client.get("/api/v1/nothing").get_json()
        for path in sorted((DEPLOY / "nginx" / "errors").glob("*.json")):
            problem = json.loads(path.read_text("utf-8"))
            assert set(problem) == set(own)
            assert problem["status"] == int(path.stem)
            page = path.with_suffix(".html").read_text("utf-8")
            assert not re.search(r"<style|<script|style=|https?://", page)
            for name in re.findall(r'href="/static/([^"]+)"', page):
                assert (PROJECT_ROOT / "checkpoint" / "static" / name).is_file()

    def test_what_it_writes_down_names_no_page(self) -> None:
        [line] = re.findall(r"^log_format .*$", SITE, re.MULTILINE)
        assert not re.search(r"\$(request|request_uri|uri|args|http_referer|http_user_agent)\b", line)
        assert re.search(r"error_log \S+ crit;", SITE)


def allowed(path: str) -> int:
    """The largest body in bytes that the site lets through: `location =`, then the expressions in their order, else the server's."""
    [default] = re.findall(r"^    client_max_body_size (\d+)m;", SITE, re.MULTILINE)
    sizes = re.findall(r"location (=|~) (\S+) \{ client_max_body_size (\d+)m;", SITE)
    for kind, pattern, size in sizes:
        if path == pattern if kind == "=" else re.search(pattern, path):
            return int(size) * MIB
    return int(default) * MIB


class TestContainers:
    FOLDER = DEPLOY / "compose"
    PLAN: dict[str, Any] = yaml.safe_load((FOLDER / "compose.yaml").read_text("utf-8"))

    def test_what_runs(self) -> None:
        services = self.PLAN["services"]
        assert set(services) == {"postgres", "redis", "prepare", "web", "scheduler", "nginx"}
        stages = set(re.findall(r"^FROM \S+ AS (\w+)$", (self.FOLDER / "Dockerfile").read_text("utf-8"), re.MULTILINE))
        for name, service in services.items():
            assert set(service.get("networks", [])) <= set(self.PLAN["networks"]), name
            assert set(service.get("secrets", [])) <= set(self.PLAN["secrets"]), name
            assert set(service.get("depends_on", {})) <= set(services), name
            assert service.get("healthcheck") or service.get("build"), name
            named = [volume.split(":")[0] for volume in service["volumes"]] if "volumes" in service else []
            assert {one for one in named if one.isalpha()} <= set(self.PLAN["volumes"]), name
            if "build" in service:
                assert service["build"]["target"] in stages
                assert (self.FOLDER / service["build"]["context"] / service["build"]["dockerfile"]).is_file()
        assert [name for name, service in services.items() if "ports" in service] == ["nginx"]

    def test_no_secret_and_no_registry_stands_in_it(self) -> None:
        text = (self.FOLDER / "compose.yaml").read_text("utf-8")
        images = re.findall(r"^\s+image: (\S+)$", text, re.MULTILINE)
        images += re.findall(r"^FROM (\S+)", (self.FOLDER / "Dockerfile").read_text("utf-8"), re.MULTILINE)
        assert [image for image in images if "/" in image] == []
        assert not re.search(r"PASSWORD: |CHECKPOINT_KEY: |DATABASE_URL: ", text)
        assert (self.FOLDER / "Dockerfile").read_text("utf-8").count("USER checkpoint") == 1

    def test_docker_reads_it(self) -> None:
        asked = ["docker", "compose"]
        if shutil.which("docker") is None or subprocess.run([*asked, "version"], capture_output=True).returncode:
            pytest.skip("docker has no compose here: only the structure was looked at")
        values = ["--project-directory", str(self.FOLDER), "-f", str(self.FOLDER / "compose.yaml")]
        environment = ["env", "SERVER_NAME=checkpoint.example", "CERTIFICATE_FOLDER=/etc/ssl/checkpoint"]
        run(*environment, *asked, *values, "config", "--quiet")


@needs("logrotate", "logrotate")
def test_logrotate_reads_its_rule(tmp_path: Path) -> None:
    rule = (DEPLOY / "logrotate" / "checkpoint").read_text("utf-8")
    files = re.findall(r"^access_log (\S+)|^\s+(?:access|error)_log (/\S+)", SITE, re.MULTILINE)
    assert {name for pair in files for name in pair if name} == set(rule.split("{")[0].split("\n")[-1].split())
    (tmp_path / "access.log").write_text("one line\n")
    (tmp_path / "rule").write_text(
        rule.replace("/var/log/checkpoint", str(tmp_path)).replace("www-data adm", "root root")
    )
    (tmp_path / "rule").chmod(0o644)
    said = run("logrotate", "-d", "-f", "-s", tmp_path / "state", tmp_path / "rule")
    assert "error:" not in said
    assert "rotating log" in said


class TestFigures:
    @on_sqlite
    def test_alerts_and_dashboard_name_only_what_is_told(self, client: FlaskClient) -> None:
        told = {line.split("{")[0].split(" ")[0] for line in client.get("/metrics").text.splitlines() if line[0] != "#"}
        asked = {name: names_in(name) for name in (*alerting.expressions(RULES), *expressions_of_the_dashboard())}
        assert len(asked) > 40
        assert {
            expression: names - told - OF_OTHERS for expression, names in asked.items() if names - told - OF_OTHERS
        } == {}
        assert all(asked.values())

    @on_sqlite
    def test_labels_have_the_values_that_are_asked_for(self, client: FlaskClient) -> None:
        known = set(re.findall(r'(\w+)="([^"]*)"', client.get("/metrics").text))
        for expression in (*alerting.expressions(RULES), *expressions_of_the_dashboard()):
            for label, values in re.findall(r'(\w+)=~?"([^"]*)"', expression):
                if label != "job":
                    assert {(label, value) for value in values.split("|")} <= known, expression

    def test_the_dashboard_is_whole(self) -> None:
        board = json.loads((DEPLOY / "grafana" / "checkpoint.json").read_text("utf-8"))
        rows = [panel["title"].split(" · ")[1] for panel in board["panels"] if panel["type"] == "row"]
        assert rows == ["People", "Gate", "Alerts", "Channels", "Processes"]
        assert len({panel["id"] for panel in board["panels"]}) == len(board["panels"])
        spots = [panel["gridPos"] for panel in board["panels"]]
        assert all(spot["x"] + spot["w"] <= 24 for spot in spots)
        sources = {panel["datasource"]["uid"] for panel in board["panels"] if panel["type"] != "row"}
        assert sources == {"${datasource}"}
        assert "://" not in json.dumps(board)

    @needs("promtool", "prometheus")
    def test_prometheus_reads_its_files(self) -> None:
        assert "SUCCESS" in run("promtool", "check", "config", "prometheus.yml", cwd=RULES.parent)

    @needs("promtool", "prometheus")
    def test_each_alert_comes_when_it_should_and_alone(self, tmp_path: Path) -> None:
        names = {rule["alert"] for rule in alerting.rules(RULES)}
        assert {name for name, _ in alerting.TROUBLES} == names
        (tmp_path / "tests.yml").write_text(yaml.safe_dump(alerting.tests(RULES)), "utf-8")
        run("promtool", "test", "rules", tmp_path / "tests.yml")


def names_in(expression: str) -> set[str]:
    """The metrics of an expression."""
    return set(re.findall(r"\b(?:checkpoint_\w+|probe_\w+|up)(?=[{)\[ ]|$)", expression))


def expressions_of_the_dashboard() -> list[str]:
    board = json.loads((DEPLOY / "grafana" / "checkpoint.json").read_text("utf-8"))
    return [target["expr"] for panel in board["panels"] for target in panel.get("targets", [])]


def test_the_guide_tells_of_every_file() -> None:
    guide = (PROJECT_ROOT / "docs" / "operations.md").read_text("utf-8")
    folders = {path.relative_to(PROJECT_ROOT).parts[1] for path in DEPLOY.rglob("*") if path.is_file()}
    assert {folder for folder in folders if f"deploy/{folder}" not in guide} == set()
    assert {path.name for path in UNITS if path.stem not in guide} == set()
