"""A Ray cluster of two nodes on the loopback address; see `test_ray.py`.

A line on the standard input, `node`, kills the second node; `head`, what holds the cluster together. Its end ends this.
"""

import os
import signal
import sys

os.environ["RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"] = "0"  # which keeps it to the loopback address

if __name__ == "__main__":  # not where pytest looks for doctests
    from ray.cluster_utils import Cluster

    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
    second = cluster.add_node(num_cpus=1)
    sys.stdout.write(f"{cluster.address}\n")
    sys.stdout.flush()
    for line in sys.stdin:
        if line.strip() == "node":
            cluster.remove_node(second, allow_graceful=False)
        else:
            for process in cluster.head_node.all_processes["gcs_server"]:
                os.kill(process.process.pid, signal.SIGKILL)
    cluster.shutdown()
