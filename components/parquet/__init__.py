"""Reading of Parquet inputs: files to row groups, columns to checked arrays, rows to tf.Examples.

Rows are counted from 0 within their file, in every error message.
"""
