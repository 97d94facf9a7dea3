"""The people who run the campaign: roles, sign-in, second factor, sessions."""
