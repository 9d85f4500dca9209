"""What tests share: waiting for a condition, ending what a test left running, and counting no skip as a pass."""
