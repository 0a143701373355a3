"""Work on several machines: workers on a Ray cluster, and their way to the journal and the budget of the driver."""
