#!/usr/bin/env python3
"""Runs a sweep as tasks of HyperQueue (PyPI: hyperqueue) on this machine and merges the parts.

Usage: hyperqueue_sweep.py SIMULATOR DESIGN.toml OUT [PARTS]

Each task gets its part from HQ_TASK_ID. To use a cluster instead, start `hq server` and `hq worker` there and replace
LocalCluster by hyperqueue.Client(SERVER_DIR).
"""

import subprocess
import sys
from pathlib import Path

from hyperqueue import Job, LocalCluster
from hyperqueue.cluster import WorkerConfig


def main() -> None:
    if len(sys.argv) not in (4, 5):
        sys.exit(__doc__)
    simulator, design, out = (str(Path(argument).resolve()) for argument in sys.argv[1:4])
    parts = int(sys.argv[4]) if len(sys.argv) == 5 else 24
    Path(out).mkdir(parents=True, exist_ok=True)
    with LocalCluster() as cluster:
        for _ in range(2):
            cluster.start_worker(WorkerConfig(cores=1))
        # A task that fails, such as one whose process is killed, does not end the others: run the script again.
        job = Job(default_workdir=out, max_fails=None)
        for _ in range(parts):
            job.program([simulator, "sweep", design, "--of", str(parts), "--out", out])
        client = cluster.client()
        submitted = client.submit(job)
        if not client.wait_for_jobs([submitted], raise_on_error=False):
            sys.exit("some parts failed: run the same command again to go on with these")
    table = str(Path(out) / "sweep.parquet")
    subprocess.run([simulator, "merge", out, "-o", table], check=True)
    print(f"{parts} parts merged into {table}")


if __name__ == "__main__":
    main()
