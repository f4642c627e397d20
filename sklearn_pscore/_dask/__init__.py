"""Work on a Dask cluster: its workers, the partitions of a table, and tasks in step."""
