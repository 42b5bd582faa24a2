"""`python -m slackbot` is `autoticket`."""

from slackbot.cli import main

if __name__ == "__main__":
    main()
