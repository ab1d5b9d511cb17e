package plexsim

// registryPrefix begins a Store that is a registry key.
const registryPrefix = "HKEY_"
