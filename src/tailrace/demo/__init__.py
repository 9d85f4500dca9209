"""The programs that `tailrace demo` runs: each a file to read, of nothing but the standard library.

What lives here: programs, started by their file's name from this directory. What may be imported: nothing of ours. What
never: anything that another module of ours needs.
"""
