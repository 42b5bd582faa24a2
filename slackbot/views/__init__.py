"""What people see in Slack: pure functions from data to Block Kit."""
