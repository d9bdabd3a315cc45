/** The key agreement of sealed scans for browsers whose WebCrypto has no X25519. */
export { DhkemX25519HkdfSha256 } from "@hpke/dhkem-x25519";
