"""The Kubernetes manifests, checked by the official client's models."""

import importlib.resources
import json
import os
import shutil
import subprocess
import types

import pytest
import yaml
from kubernetes import client

from semantic_id_ranking.serving.server.monitoring_config import read_monitoring_config

DEPLOY = importlib.resources.files("semantic_id_ranking.serving") / "deploy"
CPU = DEPLOY / "kubernetes" / "cpu"
GPU = DEPLOY / "kubernetes" / "gpu"
MODELS = {
    "ConfigMap": client.V1ConfigMap,
    "Deployment": client.V1Deployment,
    "NetworkPolicy": client.V1NetworkPolicy,
    "PersistentVolumeClaim": client.V1PersistentVolumeClaim,
    "PodDisruptionBudget": client.V1PodDisruptionBudget,
    "Service": client.V1Service,
}


def read(path):
    return yaml.safe_load(path.read_text())


def parse(manifest):
    """The manifest as the API's model, which refuses fields left out; none may be lost."""
    api = client.ApiClient()
    response = types.SimpleNamespace(data=json.dumps(manifest))
    parsed = api.deserialize(response, MODELS[manifest["kind"]])
    assert api.sanitize_for_serialization(parsed) == manifest
    return parsed


@pytest.fixture(scope="module")
def manifests():
    files = (CPU / name for name in read(CPU / "kustomization.yaml")["resources"])
    documents = [read(file) for file in files if file.is_file()]
    return {document["kind"]: parse(document) for document in documents}


@pytest.fixture(scope="module")
def container(manifests):
    (container,) = manifests["Deployment"].spec.template.spec.containers
    return container


def test_a_misspelt_or_missing_field_is_noticed():
    deployment = read(CPU / "deployment.yaml")
    pod = deployment["spec"]["template"]["spec"]
    pod["volume"] = pod.pop("volumes")
    with pytest.raises(AssertionError):
        parse(deployment)
    del deployment["spec"]["selector"]
    with pytest.raises(ValueError, match="selector"):
        parse(deployment)


def test_every_manifest_is_applied(manifests):
    listed = read(CPU / "kustomization.yaml")["resources"]
    files = {path.name for path in CPU.iterdir()} - {"kustomization.yaml"}
    assert {name for name in listed if not name.startswith("..")} == files
    assert set(MODELS) - {"ConfigMap"} == set(manifests)


def test_pods_are_found_by_their_labels(manifests):
    labels = manifests["Deployment"].spec.template.metadata.labels
    assert manifests["Deployment"].spec.selector.match_labels == labels
    assert manifests["Service"].spec.selector == labels
    assert manifests["PodDisruptionBudget"].spec.selector.match_labels == labels


def test_the_service_leads_to_the_ports_of_tensorflow_serving(manifests, container):
    numbers = {port.name: port.container_port for port in container.ports}
    assert numbers == {"grpc": 8500, "rest": 8501}
    ports = manifests["Service"].spec.ports
    assert {port.port: numbers[port.target_port] for port in ports} == {8500: 8500, 8501: 8501}


def test_the_container_sees_what_it_is_told_of(manifests, container):
    config_map = read(DEPLOY / "config" / "kustomization.yaml")["configMapGenerator"][0]
    volumes = {volume.name: volume for volume in manifests["Deployment"].spec.template.spec.volumes}
    mounts = {mount.mount_path: volumes[mount.name] for mount in container.volume_mounts}
    writable = [mount.mount_path for mount in container.volume_mounts if not mount.read_only]
    assert writable == ["/tmp"]
    assert mounts["/tmp"].empty_dir is not None
    assert mounts["/config"].config_map.name == config_map["name"]
    claim = mounts["/models"].persistent_volume_claim.claim_name
    assert claim == manifests["PersistentVolumeClaim"].metadata.name
    words = container.args + container.readiness_probe._exec.command
    files = {word.rpartition("/config/")[2] for word in words if "/config/" in word}
    assert files == set(config_map["files"])
    assert all((DEPLOY / "config" / file).is_file() for file in files)


def test_the_pod_is_confined(manifests, container):
    """What Kubernetes's Pod Security Standard `restricted` asks for, and a filesystem to read."""
    pod = manifests["Deployment"].spec.template.spec
    assert pod.security_context.run_as_non_root
    assert pod.security_context.run_as_user > 0
    assert pod.security_context.seccomp_profile.type == "RuntimeDefault"
    assert pod.automount_service_account_token is False
    own = container.security_context
    assert own.capabilities.drop == ["ALL"]
    assert (own.capabilities.add, own.privileged, own.run_as_user) == (None, None, None)
    assert own.allow_privilege_escalation is False
    assert own.read_only_root_filesystem
    assert "--enable_profiler=false" in container.args


def test_who_reaches_the_pods(manifests, container):
    policy = manifests["NetworkPolicy"].spec
    assert policy.pod_selector == manifests["Deployment"].spec.selector
    assert policy.policy_types == ["Ingress", "Egress"]
    assert policy.egress == []
    clients, prometheus = policy.ingress
    (peer,) = clients._from
    assert peer.pod_selector.match_labels == {"model-server-client": "true"}
    assert (peer.namespace_selector, peer.ip_block) == (None, None)
    assert {port.port for port in clients.ports} == {port.name for port in container.ports}
    (peer,) = prometheus._from
    assert peer.namespace_selector.match_labels == {"kubernetes.io/metadata.name": "monitoring"}
    assert [port.port for port in prometheus.ports] == ["rest"]


def test_readiness_asks_for_every_served_model_at_the_rest_port(container):
    (_, _, port, *models) = container.readiness_probe._exec.command
    assert int(port) == next(port.container_port for port in container.ports if port.name == "rest")
    text = (DEPLOY / "config" / "models.config").read_text()
    assert [line.split('"')[1] for line in text.splitlines() if " name:" in line] == models
    assert container.startup_probe._exec == container.readiness_probe._exec


def test_prometheus_and_the_kubelet_look_where_the_metrics_are(manifests, container):
    path = read_monitoring_config(DEPLOY / "config" / "monitoring.config").path
    annotations = manifests["Deployment"].spec.template.metadata.annotations
    assert annotations["prometheus.io/path"] == path
    assert container.liveness_probe.http_get.path == path
    assert container.liveness_probe.http_get.port == "rest"


def test_gpu_lays_its_image_and_a_gpu_over_the_deployment(manifests, container):
    patch = read(GPU / read(GPU / "kustomization.yaml")["patches"][0]["path"])
    assert patch["metadata"]["name"] == manifests["Deployment"].metadata.name
    (over,) = patch["spec"]["template"]["spec"]["containers"]
    assert over["name"] == container.name
    assert over["image"] == container.image + "-gpu" == "tensorflow/serving:2.16.1-gpu"
    assert over["resources"]["limits"] == {"nvidia.com/gpu": "1"}


@pytest.mark.skipif(shutil.which("kubectl") is None, reason="needs kubectl, but no cluster")
@pytest.mark.parametrize("folder", [CPU, GPU], ids=["cpu", "gpu"])
def test_kustomize_builds_what_the_api_takes(folder):
    built = subprocess.run(
        ["kubectl", "kustomize", folder],
        env={**os.environ, "KUBECONFIG": os.devnull},
        check=True,
        capture_output=True,
        timeout=60,
    ).stdout
    parsed = {document["kind"]: parse(document) for document in yaml.safe_load_all(built)}
    assert set(parsed) == set(MODELS)
    assert parsed["ConfigMap"].metadata.name == "model-server"
    (container,) = parsed["Deployment"].spec.template.spec.containers
    assert container.readiness_probe is not None
    assert ("nvidia.com/gpu" in container.resources.limits) == (folder is GPU)
