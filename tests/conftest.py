"""What tests share is in ``shared.py``: it imports torch, which the process that only hands out tests can do
without."""


def pytest_configure(config):
    if hasattr(config, "workerinput") or not config.getoption("numprocesses", None):
        config.pluginmanager.import_plugin("shared")
