variable "parents_token" {
  type      = string
  sensitive = true
  ephemeral = true
}

# The account of somebody else.
provider "plex" {
  alias         = "parents"
  account_token = var.parents_token
}

ephemeral "plex_claim_token" "parents" {
  provider = plex.parents
}

# Their server, managed with everything else, and bound to their account.
resource "plex_server_account_binding" "parents" {
  account                = "parents@example.com"
  claim_token_wo         = ephemeral.plex_claim_token.parents.token
  claim_token_wo_version = 1
}
