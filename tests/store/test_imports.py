import subprocess
import sys


def test_the_store_and_its_commands_need_no_torch():
    """What records and what lists meetings never waits for the network's library, nor for numba."""
    program = (
        "import sys; import meetscribe.store.store, meetscribe.apps.cli.main, meetscribe.apps.beginning; "
        "print({'torch', 'numba'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()", done.stdout
