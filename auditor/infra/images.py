"""What an image is, by its name: a Redis, a backing service, a log shipper, an exporter."""

from __future__ import annotations

import re

_REDIS = re.compile(
    r"(^|/)(redis|valkey|keydb|dragonfly|redis-stack(-server)?|redis-sentinel|redis-cluster|eqalpha/keydb|redict)(-\w+)*$"
)
_NOT_SERVERS = re.compile(r"exporter|commander|insight|ui$|admin|browser|proxy|operator|smq|cli$")
_BACKING = re.compile(
    r"(^|/)(postgres|postgresql|postgis|timescaledb?|pgvector|pgbouncer|pgadmin4?|mysql|mariadb|mongo|mongodb|mongo-express|cassandra|"
    r"elasticsearch|opensearch|kibana|logstash|rabbitmq|kafka|zookeeper|nats|nginx|traefik|caddy|haproxy|envoy|httpd|"
    r"prometheus|grafana|alertmanager|node-exporter|[\w-]*exporter|cadvisor|loki|promtail|jaeger|[\w-]*all-in-one|zipkin|tempo|"
    r"otel\S*|opentelemetry-collector\S*|minio|mc|mailhog|mailpit|maildev|localstack|adminer|redis-commander|redisinsight|"
    r"vault|consul|etcd|memcached|influxdb|clickhouse\S*|meilisearch|typesense|qdrant|weaviate|sonarqube|portainer\S*|watchtower|"
    r"certbot|cloudflared|fluent-?bit|fluentd|vector|datadog|agent|filebeat|busybox|hasura|graphql-engine|keycloak|geth|"
    r"hardhat\S*|ganache\S*|ipfs|kubo|selenium\S*|chrome|browserless|dynamodb-local|stripe-cli|ngrok|wait-for\S*|k6|artillery)$"
)
_SHIPPERS = {
    "fluent-bit": "Fluent Bit", "fluentbit": "Fluent Bit", "fluentd": "Fluentd", "promtail": "Promtail", "vector": "Vector",
    "filebeat": "Filebeat", "logstash": "Logstash", "datadog/agent": "Datadog agent", "datadog-agent": "Datadog agent",
    "grafana/agent": "Grafana agent", "grafana/alloy": "Grafana Alloy", "loki": "Loki", "newrelic/infrastructure": "New Relic",
    "splunk": "Splunk", "logspout": "Logspout", "cloudwatch-agent": "CloudWatch agent", "sematext": "Sematext", "seq": "Seq",
    "aws-for-fluent-bit": "Fluent Bit",
}  # fmt: skip
SHIPPING_DRIVERS = frozenset(
    [
        "awslogs",
        "fluentd",
        "gelf",
        "syslog",
        "splunk",
        "gcplogs",
        "loki",
        "loki-docker-driver",
        "logentries",
        "awsfirelens",
        "journald",
    ]
)
"""Docker logging drivers that send logs away from the host's own files."""


def repository(image: str) -> str:
    """An image's name without registry, tag and digest: `docker.io/library/redis:7` is `redis`."""
    name = image.split("@", 1)[0]
    head, _, last = name.rpartition("/")
    name = f"{head}/{last.split(':', 1)[0]}" if head else last.split(":", 1)[0]
    parts = name.split("/")
    if len(parts) > 1 and ("." in parts[0] or ":" in parts[0]):
        parts = parts[1:]
    return "/".join(parts[1:] if parts[0] in ("library", "_") else parts).lower()


def is_redis(image: str) -> bool:
    """A Redis, Valkey, KeyDB or Dragonfly server."""
    name = repository(image)
    return bool(_REDIS.search(name)) and not _NOT_SERVERS.search(name)


def is_backing(image: str) -> bool:
    """A well-known datastore, proxy, tool or monitoring image."""
    return is_redis(image) or bool(_BACKING.search(repository(image)))


def shipper(image: str) -> str:
    """The log collector that an image is; empty for others."""
    name = repository(image)
    last = name.rpartition("/")[2]
    return next((label for key, label in _SHIPPERS.items() if key in (name, last) or ("/" in key and key in name)), "")
