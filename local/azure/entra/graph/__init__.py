"""Microsoft Graph of the one local tenant: test users, and what signs users in: applications, flows, policies."""
