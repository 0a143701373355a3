"""`python -m selfsown` is `selfsown`."""

from selfsown.cli import main

if __name__ == "__main__":
    main()
