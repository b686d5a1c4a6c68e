"""Runs under a Python of another machine, whatever its version: tells of it, in one line of JSON."""

import json
import os
import platform
import sys
import sysconfig

try:
    import venv  # noqa: F401  # a distribution may leave it out

    problem = ""
except ImportError:
    problem = "it has no module venv"
if sys.implementation.name != "cpython":
    problem = "it is " + platform.python_implementation()
elif sysconfig.get_config_var("Py_GIL_DISABLED"):
    problem = "it is a free-threaded build"
elif sys.maxsize < 2**32:
    problem = "it is a 32-bit program"
try:
    libc = os.confstr("CS_GNU_LIBC_VERSION") or ""
except (AttributeError, ValueError):
    libc = ""  # musl, as of Alpine
sys.stdout.write(
    json.dumps(
        {
            "version": ".".join(map(str, sys.version_info[:3])),
            "machine": platform.machine(),
            "libc": libc,
            "problem": problem,
            "markers": {
                "implementation_name": sys.implementation.name,
                "implementation_version": ".".join(map(str, sys.implementation.version[:3])),
                "os_name": os.name,
                "platform_machine": platform.machine(),
                "platform_python_implementation": platform.python_implementation(),
                "platform_release": platform.release(),
                "platform_system": platform.system(),
                "platform_version": platform.version(),
                "python_full_version": platform.python_version(),
                "python_version": ".".join(map(str, sys.version_info[:2])),
                "sys_platform": sys.platform,
            },
        }
    )
)
