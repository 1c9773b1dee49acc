"""The diagnostics of `service.yaml`, E551 and up.

The examples are whole files; beside them are `good.token`, `tls.pem` and `tls.key`, and an `empty.token` with nothing
in it. The only tenant is `shop`.
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

SERVICE_CODES: tuple[Code, ...] = (OPEN_LISTENER, OPEN_LINES, HALF_TLS, BAD_TOKEN, NO_SUCH_TENANT)
"""All of them, by number."""
