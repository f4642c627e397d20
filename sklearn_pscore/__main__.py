"""The package as a program: ``python -m sklearn_pscore compare``."""

from sklearn_pscore._interrupt import quiet_interrupt


def main():
    """Run the command line."""
    with quiet_interrupt():
        from sklearn_pscore._command_line import app

    app()


if __name__ == "__main__":
    main()
