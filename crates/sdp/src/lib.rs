//! Session descriptions and ICE candidates of WebRTC: parse and print, lossless
