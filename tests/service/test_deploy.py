"""`examples/deploy`: each file by its own linter, and what it says of ports, paths, options and metrics by the program.

No container runs here. What needs a tool that is missing is skipped, and says so.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from runtime.cli.serve import serve_command
from runtime.config.service import ServiceConfig, load_service
from runtime.protocol import MONITOR
from runtime.protocol.operations import LIVEZ, METRICS

from .running import NDJSON, Running, click

kubernetes_validate = pytest.importorskip("kubernetes_validate", reason="kubernetes-validate is not installed")
promql = pytest.importorskip("promql_parser", reason="promql-parser is not installed")

PROJECT = Path(__file__).parents[2]
DEPLOY = PROJECT / "examples" / "deploy"
DOCKERFILE = (DEPLOY / "Dockerfile").read_text()
COMPOSE = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
UNIT = (DEPLOY / "sojourn.service").read_text()
RESOURCES = {each["kind"]: each for each in yaml.safe_load_all((DEPLOY / "kubernetes" / "sojourn.yaml").read_text())}
POD = RESOURCES["StatefulSet"]["spec"]["template"]["spec"]
(CONTAINER,) = POD["containers"]
PORTS = {"ingest": 15590, "monitor": 9999}


def tool(name: str) -> str:
    beside = os.pathsep.join((str(Path(sys.executable).parent), os.environ.get("PATH", "")))
    found = shutil.which(name, path=beside)
    if found is None:
        pytest.skip(f"there is no {name} here")
    return found


def run(*command: str) -> str:
    done = subprocess.run(command, check=False, capture_output=True, text=True, cwd=PROJECT, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


# ---- each file by its own linter


def test_the_image_is_linted() -> None:
    assert run(tool("hadolint"), str(DEPLOY / "Dockerfile")) == ""


def test_compose_has_its_schema() -> None:
    run(tool("check-jsonschema"), "--builtin-schema", "vendor.compose-spec", str(DEPLOY / "compose.yaml"))


@pytest.mark.parametrize("kind", RESOURCES)
def test_resources_have_their_schema(kind: str) -> None:
    kubernetes_validate.validate(RESOURCES[kind], "1.33", strict=True)


def test_the_resources_are_built() -> None:
    built = list(yaml.safe_load_all(run(tool("kubectl"), "kustomize", str(DEPLOY / "kubernetes"))))
    config = next(each for each in built if each["kind"] == "ConfigMap")
    pod = next(each for each in built if each["kind"] == "StatefulSet")["spec"]["template"]["spec"]
    assert {"name": "config", "configMap": {"name": config["metadata"]["name"]}} in pod["volumes"]
    assert pod["containers"][0]["image"] == COMPOSE["services"]["sojourn"]["image"]


def test_the_unit_is_one(tmp_path: Path) -> None:
    unit = tmp_path / "sojourn.service"
    unit.write_text(UNIT.replace("/opt/sojourn/bin/sojourn", shutil.which("true") or "/bin/true"))
    assert run(tool("systemd-analyze"), "verify", "--man=no", str(unit)) == ""


# ---- what they say of the program


def exec_form(word: str) -> list[str]:
    (found,) = re.findall(rf"^{word} (\[.*\])$", DOCKERFILE, re.MULTILINE)
    arguments: list[str] = json.loads(found)
    return arguments


@pytest.mark.parametrize(
    "arguments",
    [
        exec_form("CMD"),
        CONTAINER["args"],
        shlex.split(re.findall(r"^ExecStart=\S+ (.*)$", UNIT, re.MULTILINE)[0]),
    ],
    ids=["image", "pod", "unit"],
)
def test_the_command_is_one(arguments: list[str]) -> None:
    command, *options = arguments
    assert command == serve_command.name
    given = serve_command.make_context(command, list(options)).params
    assert (str(given["state"]), str(given["config_file"])) == ("/var/lib/sojourn", "/etc/sojourn/service.yaml")


@pytest.mark.parametrize("file", ["service.yaml", "kubernetes/service.yaml"])
def test_the_configuration_loads_and_is_safe(file: str, tmp_path: Path) -> None:
    config = loaded(DEPLOY / file, tmp_path)
    config.check(config.tenants)  # every tenant has a token, since it is open to others
    assert config.monitor.token is not None
    assert {
        "ingest": config.ingest.listener.address.port,
        "monitor": config.monitor.listener.address.port,
    } == PORTS
    assert config.stop_ms < 1000 * POD["terminationGracePeriodSeconds"]
    assert config.stop_ms < 1000 * int(COMPOSE["services"]["sojourn"]["stop_grace_period"].rstrip("s"))
    assert config.stop_ms < 1000 * int(re.findall(r"TimeoutStopSec=(\d+)s", UNIT)[0])


def loaded(file: Path, folder: Path) -> ServiceConfig:
    """A configuration beside its tokens."""
    text = file.read_text()
    (folder / "tokens").mkdir()
    for name in re.findall(r"token_file: (\S+)", text):
        (folder / name).write_text("0123456789abcdef\n")
    (folder / "service.yaml").write_text(text)
    return load_service(folder / "service.yaml")


def test_ports_are_those() -> None:
    assert {int(port) for port in re.findall(r"^EXPOSE (.*)$", DOCKERFILE, re.MULTILINE)[0].split()} == {
        *PORTS.values()
    }
    published = COMPOSE["services"]["sojourn"]["ports"]
    assert {int(each.rpartition(":")[2]) for each in published} == {*PORTS.values()}
    assert all(each.startswith("127.0.0.1:") for each in published), "to this machine only"
    assert {each["name"]: each["containerPort"] for each in CONTAINER["ports"]} == PORTS
    assert {each["name"]: each["port"] for each in RESOURCES["Service"]["spec"]["ports"]} == PORTS


def test_probes_ask_for_no_token() -> None:
    probes = [CONTAINER[name] for name in ("startupProbe", "livenessProbe", "readinessProbe")]
    paths = {each["httpGet"]["path"]: each["httpGet"]["port"] for each in probes}
    assert paths == {operation.path: "monitor" for operation in MONITOR.operations if operation.is_open}
    assert f"127.0.0.1:{PORTS['monitor']}{LIVEZ.path}" in DOCKERFILE


def test_nobody_has_more_rights_than_needed() -> None:
    (user,) = re.findall(r"^USER (\d+):\d+$", DOCKERFILE, re.MULTILINE)
    assert int(user) == POD["securityContext"]["runAsUser"] == POD["securityContext"]["fsGroup"] > 0
    assert CONTAINER["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    # The only places to write to are the state and what is in memory.
    assert {each["name"] for each in CONTAINER["volumeMounts"] if not each.get("readOnly")} == {"state", "tmp"}


def test_mounted_files_are_there() -> None:
    mounted = [each for service in COMPOSE["services"].values() for each in service["volumes"]]
    local = {each.split(":")[0] for each in mounted if each.startswith(".")}
    made = {each for each in local if each.startswith("./tokens")}
    assert all((DEPLOY / each).exists() for each in local - made)
    copied = re.findall(r"^COPY (?!--)(.*) \S+$", DOCKERFILE, re.MULTILINE)
    names = [name for each in copied for name in each.split()]
    assert all((PROJECT / name).exists() for name in names)
    ignored = (DEPLOY / "Dockerfile.dockerignore").read_text().splitlines()
    assert {f"!{name}" for name in names} == {line for line in ignored if line.startswith("!")}


# ---- Prometheus


ALERTS = yaml.safe_load((DEPLOY / "alerts.yml").read_text())["groups"][0]["rules"]


def selectors(expression: Any) -> Iterator[Any]:
    """The series that an expression reads."""
    if isinstance(expression, promql.VectorSelector):
        yield expression
    for name in ("lhs", "rhs", "expr", "vector_selector"):
        part = getattr(expression, name, None)
        if part is not None:
            yield from selectors(part)
    for part in getattr(expression, "args", None) or ():
        yield from selectors(part)


def test_alerts_read_series_that_there_are(running: Running) -> None:
    running.send([click("ann", n=0)])
    running.ingest.post("/v1/events/shop", content=b"no\n", headers=NDJSON)
    labels: dict[str, set[str]] = {"up": {"job", "instance"}}
    for family in text_string_to_metric_families(running.monitor.get(METRICS.path).text):
        for sample in family.samples:
            labels.setdefault(sample.name, {"job", "instance"}).update(sample.labels)
    for alert in ALERTS:
        read = list(selectors(promql.parse(alert["expr"])))
        assert read, alert["alert"]
        for selector in read:
            names = set(re.findall(r"(\w+)(?==~?\")", str(selector.matchers)))
            assert names <= labels[selector.name], f"{alert['alert']} reads {selector.name}"
        said = "".join(alert["annotations"].values())
        shown = set(re.findall(r"\$labels\.(\w+)", said))
        assert shown <= set.union(*(labels[selector.name] for selector in read)), alert["alert"]


def test_prometheus_asks_where_metrics_are() -> None:
    config = yaml.safe_load((DEPLOY / "prometheus.yml").read_text())
    (job,) = config["scrape_configs"]
    assert job["metrics_path"] == METRICS.path
    assert job["static_configs"][0]["targets"] == [f"sojourn:{PORTS['monitor']}"]
    mounted = {each.split(":")[1] for each in COMPOSE["services"]["prometheus"]["volumes"]}
    assert job["authorization"]["credentials_file"] in mounted
    assert {f"/etc/prometheus/{name}" for name in config["rule_files"]} <= mounted
    # An alert is about this job, or about what only it gives.
    assert all(
        selector.name.startswith("sojourn_") or 'job="sojourn"' in str(selector.matchers)
        for alert in ALERTS
        for selector in selectors(promql.parse(alert["expr"]))
    )


def test_the_read_me_names_every_file() -> None:
    named = set(re.findall(r"^\| `([^`]+)`", (DEPLOY / "README.md").read_text(), re.MULTILINE))
    real = {f"{each.name}{'/' if each.is_dir() else ''}" for each in DEPLOY.iterdir()}
    assert real - named == {"README.md", "Dockerfile.dockerignore", "prometheus.yml", "alerts.yml"}
