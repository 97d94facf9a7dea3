"""The audit log: who did what, when and why, in a chain that shows any later change."""
