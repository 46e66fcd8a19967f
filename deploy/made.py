"""python deploy/made.py: the proxy's configurations in this folder, from `sightlines serve`'s template."""

import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))

from vizcore.commands import serve  # noqa: E402

APP = HERE.parent / "streamlit_app.py"
MOST = 16  # containers that the proxy looks for
DOCKER = """
resolvers docker
    nameserver docker 127.0.0.11:53
    hold valid 1s
    hold obsolete 1s""".splitlines()


def compose() -> str:
    """For as many containers as there are: they are found by the name of their service."""
    servers = [f"    server-template w {MOST} app:8501 resolvers docker init-addr none"]
    return serve.filled(
        APP,
        "bind :8501  # with a certificate: bind :8443 ssl crt /certificates/ alpn h2,http/1.1",
        [*servers, *DOCKER],
        "stats socket /tmp/proxy.sock mode 600 level admin",
        cookie=" dynamic\n    dynamic-cookie-key sightlines",
    )


def systemd() -> str:
    """For the four processes that are enabled by ``sightlines-worker@860{1,2,3,4}``."""
    return serve.filled(
        APP,
        "bind :8501  # with a certificate: bind :443 ssl crt /etc/sightlines/tls.pem alpn h2,http/1.1",
        [f"    server w{n} 127.0.0.1:860{n} cookie w{n}" for n in range(1, 5)],
        "stats socket /run/sightlines-proxy/proxy.sock mode 600 level admin",
    )


if __name__ == "__main__":
    (HERE / "haproxy.cfg").write_text(compose())
    (HERE / "systemd" / "haproxy.cfg").write_text(systemd())
