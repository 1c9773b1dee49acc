"""The diagnostics of `service.yaml`, E551 and up.

The examples are whole files; beside them are `good.token`, `good.options`, `tls.pem` and `tls.key`, and an
`empty.token` with nothing in it. The only tenant is `shop`.
"""

from __future__ import annotations

from epl.diagnostics import Code

OPEN_LISTENER = Code(
    "E551",
    "Open to other machines without a token",
    "`{address}` can be reached from other machines, and {who} has no `token_file`",
    "Whoever reaches the port could send events, read sessions and end them.",
    'monitor: {listen: "0.0.0.0:9999"}\n',
    'monitor: {listen: "0.0.0.0:9999", token_file: good.token}\n',
)
OPEN_LINES = Code(
    "E552",
    "Plain lines from other machines",
    "`{address}` can be reached from other machines, and plain lines carry no token",
    "Whoever reaches the port could send events. Other machines send them over HTTP, with the tenant's token.",
    'ingest: {lines: [{listen: "0.0.0.0:15591", tenant: shop}]}\n',
    'ingest: {lines: [{listen: "127.0.0.1:15591", tenant: shop}]}\n',
)
HALF_TLS = Code(
    "E553",
    "Half of what TLS needs",
    "`{given}` stands there without `{missing}`",
    "A server proves with the key that the certificate is its own.",
    "ingest: {certificate: tls.pem}\n",
    "ingest: {certificate: tls.pem, key: tls.key}\n",
)
BAD_TOKEN = Code(
    "E554",
    "File without a token",
    "`{file}` holds no token: it wants one line of at least {least} characters without spaces",
    "A token that can be guessed protects nothing.",
    "monitor: {token_file: empty.token}\n",
    "monitor: {token_file: good.token}\n",
    advice="make one with `openssl rand -hex 32`",
)
NO_SUCH_TENANT = Code(
    "E555",
    "Unknown tenant",
    "no tenant that is served is called `{name}`",
    "What is said about a tenant that is not there would protect nobody's events.",
    "tenants: [{name: shopp, token_file: good.token}]\n",
    "tenants: [{name: shop, token_file: good.token}]\n",
)
_TOPIC = "brokers: 'localhost:9092', topic: events, group: sojourn"
OWN_OPTION = Code(
    "E556",
    "Option that is not to be chosen",
    "`{name}` is for Sojourn to set",
    "That nothing is lost rests on it; the keys beside `options` are what there is to choose.",
    f"tenants: [{{name: shop, kafka_in: [{{{_TOPIC}, options: {{enable.auto.commit: true}}}}]}}]\n",
    f"tenants: [{{name: shop, kafka_in: [{{{_TOPIC}, options: {{fetch.wait.max.ms: 50}}}}]}}]\n",
)
BAD_OPTION_LINE = Code(
    "E557",
    "Line without an option",
    "line {line} of `{file}` is no `NAME=VALUE`",
    "An option that is left out, such as a password, shows only when the cluster refuses.",
    f"tenants: [{{name: shop, kafka_in: [{{{_TOPIC}, options_file: good.token}}]}}]\n",
    f"tenants: [{{name: shop, kafka_in: [{{{_TOPIC}, options_file: good.options}}]}}]\n",
)
_STREAM = "url: 'valkey://localhost', stream: events, group: sojourn"
BAD_PASSWORD = Code(
    "E558",
    "File without a password",
    "`{file}` holds no password: it wants one line",
    "The server would refuse each connection.",
    f"tenants: [{{name: shop, valkey_in: [{{{_STREAM}, password_file: empty.token}}]}}]\n",
    f"tenants: [{{name: shop, valkey_in: [{{{_STREAM}, password_file: good.token}}]}}]\n",
)

SERVICE_CODES: tuple[Code, ...] = (
    OPEN_LISTENER,
    OPEN_LINES,
    HALF_TLS,
    BAD_TOKEN,
    NO_SUCH_TENANT,
    OWN_OPTION,
    BAD_OPTION_LINE,
    BAD_PASSWORD,
)
"""All of them, by number."""
