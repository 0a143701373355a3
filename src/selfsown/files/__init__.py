"""Rows in files: records of any format become rows, documents are cut into chunks, and Parquet stores rows."""
