"""The cluster that a fit runs on: its client and its workers."""

_MISSING = (
    "Fitting on a cluster needs dask and distributed, which are not installed. Install "
    'them with: pip install "sklearn-pscore[dask]".'
)


def client_of(client, timeout, caller):
    """Return the client to work with, of a cluster that has workers.

    Parameters
    ----------
    client : distributed.Client or None
        None is the one that was made last.
    timeout : float
        Seconds to wait for the first worker.
    caller : str
        Name of the method, for messages.

    Raises
    ------
    ImportError
        If distributed is not installed.
    TypeError
        If it is no client, or one for coroutines.
    ValueError
        If there is no client, it is closed, or its cluster has no worker.
    """
    try:
        from distributed import Client, default_client
    except ImportError:
        raise ImportError(_MISSING) from None
    if client is None:
        try:
            client = default_client()
        except ValueError:
            raise ValueError(
                f"{caller} found no client of a Dask cluster; expected one. Make it by "
                "client = Client(LocalCluster()) on this machine, or by "
                'client = Client("tcp://scheduler:8786"), from dask.distributed.'
            ) from None
    if not isinstance(client, Client):
        raise TypeError(
            f"client is of type {type(client).__name__}; expected a "
            "dask.distributed.Client. Pass client=Client(cluster)."
        )
    if client.asynchronous:
        raise TypeError(
            f"client is asynchronous; {caller} expected one that waits for results. Pass "
            "client=Client(address), made outside of a coroutine."
        )
    if client.status != "running":
        raise ValueError(
            f"client is {client.status}; expected one that is connected to a cluster. "
            "Make a new Client."
        )
    try:
        client.wait_for_workers(1, timeout=timeout)
    except TimeoutError:
        raise ValueError(
            f"The cluster at {client.scheduler.address} has had no worker for "
            f"{timeout:g} s; expected at least one. Start workers, or raise timeout."
        ) from None
    return client


def workers_of(client):
    """Return the addresses of the workers that there are, sorted."""
    return sorted(client.nthreads())


def check_versions(of_workers, here):
    """Raise ValueError unless the workers have the libraries of this process.

    Parameters
    ----------
    of_workers : dict of str to dict
        Versions by library, by address.
    here : dict
    """
    for worker, versions in of_workers.items():
        for library, version in here.items():
            if versions[library] != version:
                raise ValueError(
                    f"The worker {worker} has {library} {versions[library]}, and this "
                    f"process has {version}; expected one version, or the ranks would not "
                    f"compute the same. Install {library} {version} on the worker."
                )


def probe():
    """Return a function that tells the versions of a worker.

    It is a closure, which is sent as code: a worker may lack this file.
    """

    def versions():
        import importlib

        found = {}
        for library in ("sklearn_pscore", "torch"):
            try:
                found[library] = str(importlib.import_module(library).__version__)
            except ImportError:
                found[library] = "not installed"
        return found

    return versions


def here():
    """Return the versions of this process."""
    return probe()()
