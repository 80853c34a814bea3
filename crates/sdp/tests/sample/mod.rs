//! Descriptions of real stacks, as they were sent.

/// libdatachannel: data alone, transport attributes at session level.
pub const LIBDATACHANNEL_OFFER: &str = "\
v=0\r\n\
o=rtc 2958415279 0 IN IP4 127.0.0.1\r\n\
s=-\r\n\
t=0 0\r\n\
a=group:BUNDLE 0\r\n\
a=msid-semantic:WMS *\r\n\
a=ice-options:ice2,trickle\r\n\
a=fingerprint:sha-256 8F:68:A0:CC:C2:A7:E5:C0:80:37:39:98:0A:49:CA:68:0A:82:4D:05:49:A4:F4:81:6C:11:EA:79:82:AA:7F:8F\r\n\
m=application 33111 UDP/DTLS/SCTP webrtc-datachannel\r\n\
c=IN IP4 192.0.2.2\r\n\
a=mid:0\r\n\
a=sendrecv\r\n\
a=sctp-port:5000\r\n\
a=max-message-size:262144\r\n\
a=setup:actpass\r\n\
a=ice-ufrag:PbYF\r\n\
a=ice-pwd:xZUA6rheapTloTCTMLkV8N\r\n\
a=candidate:2 1 UDP 2116026111 fd00::2 33111 typ host\r\n\
a=candidate:1 1 UDP 2114977791 192.0.2.2 33111 typ host\r\n\
a=end-of-candidates\r\n\
";

/// Chromium: audio, video and data in one bundle.
pub const CHROMIUM_ANSWER: &str = "\
v=0\r\n\
o=- 3466059803159217666 2 IN IP4 127.0.0.1\r\n\
s=-\r\n\
t=0 0\r\n\
a=group:BUNDLE 0 1 2\r\n\
a=msid-semantic: WMS\r\n\
m=audio 36807 UDP/TLS/RTP/SAVPF 96 9 0 8\r\n\
c=IN IP4 192.0.2.2\r\n\
a=rtcp:9 IN IP4 0.0.0.0\r\n\
a=candidate:3944092487 1 udp 2122194687 192.0.2.2 36807 typ host generation 0 network-id 1\r\n\
a=candidate:544264871 1 udp 2122265343 fd00::2 33739 typ host generation 0 network-id 2\r\n\
a=ice-ufrag:YroO\r\n\
a=ice-pwd:9rpepgnsEFlw8izXiOqRh5RA\r\n\
a=ice-options:trickle\r\n\
a=fingerprint:sha-256 3F:48:59:3A:B0:86:F8:F5:2D:B2:EA:2A:BD:37:84:7F:93:C3:F0:4B:B0:32:D1:71:4D:AE:C4:BE:B2:0C:2A:4E\r\n\
a=setup:active\r\n\
a=mid:0\r\n\
a=extmap:2 urn:ietf:params:rtp-hdrext:ssrc-audio-level\r\n\
a=extmap:1 urn:ietf:params:rtp-hdrext:sdes:mid\r\n\
a=sendrecv\r\n\
a=msid:- 79f75fe8-fba2-48d9-878a-4b1fa767947e\r\n\
a=rtcp-mux\r\n\
a=rtpmap:96 opus/48000/2\r\n\
a=fmtp:96 minptime=10;useinbandfec=1\r\n\
a=rtpmap:9 G722/8000\r\n\
a=rtpmap:0 PCMU/8000\r\n\
a=rtpmap:8 PCMA/8000\r\n\
a=ssrc:3375195137 cname:VVWJpvLSl2cEi5hs\r\n\
m=video 9 UDP/TLS/RTP/SAVPF 97 98 99 100 101 102\r\n\
c=IN IP4 0.0.0.0\r\n\
a=rtcp:9 IN IP4 0.0.0.0\r\n\
a=ice-ufrag:YroO\r\n\
a=ice-pwd:9rpepgnsEFlw8izXiOqRh5RA\r\n\
a=ice-options:trickle\r\n\
a=fingerprint:sha-256 3F:48:59:3A:B0:86:F8:F5:2D:B2:EA:2A:BD:37:84:7F:93:C3:F0:4B:B0:32:D1:71:4D:AE:C4:BE:B2:0C:2A:4E\r\n\
a=setup:active\r\n\
a=mid:1\r\n\
a=extmap:3 http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time\r\n\
a=extmap:1 urn:ietf:params:rtp-hdrext:sdes:mid\r\n\
a=sendrecv\r\n\
a=msid:- 67eb848c-8111-4a3a-8446-fba463432217\r\n\
a=rtcp-mux\r\n\
a=rtpmap:97 VP8/90000\r\n\
a=rtcp-fb:97 goog-remb\r\n\
a=rtcp-fb:97 nack\r\n\
a=rtcp-fb:97 nack pli\r\n\
a=rtpmap:98 rtx/90000\r\n\
a=fmtp:98 apt=97\r\n\
a=rtpmap:99 H264/90000\r\n\
a=rtcp-fb:99 goog-remb\r\n\
a=rtcp-fb:99 nack\r\n\
a=rtcp-fb:99 nack pli\r\n\
a=fmtp:99 level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42001f\r\n\
a=rtpmap:100 rtx/90000\r\n\
a=fmtp:100 apt=99\r\n\
a=rtpmap:101 H264/90000\r\n\
a=rtcp-fb:101 goog-remb\r\n\
a=rtcp-fb:101 nack\r\n\
a=rtcp-fb:101 nack pli\r\n\
a=fmtp:101 level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f\r\n\
a=rtpmap:102 rtx/90000\r\n\
a=fmtp:102 apt=101\r\n\
a=ssrc-group:FID 3780122595 923583340\r\n\
a=ssrc:3780122595 cname:VVWJpvLSl2cEi5hs\r\n\
a=ssrc:923583340 cname:VVWJpvLSl2cEi5hs\r\n\
m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\n\
c=IN IP4 0.0.0.0\r\n\
a=ice-ufrag:YroO\r\n\
a=ice-pwd:9rpepgnsEFlw8izXiOqRh5RA\r\n\
a=ice-options:trickle\r\n\
a=fingerprint:sha-256 3F:48:59:3A:B0:86:F8:F5:2D:B2:EA:2A:BD:37:84:7F:93:C3:F0:4B:B0:32:D1:71:4D:AE:C4:BE:B2:0C:2A:4E\r\n\
a=setup:active\r\n\
a=mid:2\r\n\
a=sctp-port:5000\r\n\
a=max-message-size:262144\r\n\
";

/// Firefox: the same; fingerprint and direction at session level, candidates over TCP.
pub const FIREFOX_ANSWER: &str = "\
v=0\r\n\
o=mozilla...THIS_IS_SDPARTA-99.0 7221280764640376596 0 IN IP4 0.0.0.0\r\n\
s=-\r\n\
t=0 0\r\n\
a=sendrecv\r\n\
a=fingerprint:sha-256 AA:9E:CA:0C:6F:BD:64:B6:90:BD:59:6B:E4:B8:94:52:1D:D1:36:23:74:15:7E:C3:73:FD:55:A6:44:DB:A1:92\r\n\
a=group:BUNDLE 0 1 2\r\n\
a=ice-options:trickle\r\n\
a=msid-semantic:WMS *\r\n\
m=audio 49207 UDP/TLS/RTP/SAVPF 96 9 0 8\r\n\
c=IN IP4 192.0.2.2\r\n\
a=candidate:0 1 UDP 2122187007 192.0.2.2 49207 typ host\r\n\
a=candidate:1 1 UDP 2122252543 fd00::2 38445 typ host\r\n\
a=candidate:2 1 TCP 2105458943 192.0.2.2 9 typ host tcptype active\r\n\
a=candidate:3 1 TCP 2105524479 fd00::2 9 typ host tcptype active\r\n\
a=sendrecv\r\n\
a=end-of-candidates\r\n\
a=extmap:1 urn:ietf:params:rtp-hdrext:sdes:mid\r\n\
a=extmap:2 urn:ietf:params:rtp-hdrext:ssrc-audio-level\r\n\
a=fmtp:96 maxplaybackrate=48000;stereo=1;useinbandfec=1\r\n\
a=ice-pwd:fcfb8d0d420274b576aea894e522b080\r\n\
a=ice-ufrag:f402834e\r\n\
a=mid:0\r\n\
a=msid:- {57870813-49e1-4a45-ac73-887a37fdc402}\r\n\
a=rtcp-mux\r\n\
a=rtpmap:96 opus/48000/2\r\n\
a=rtpmap:9 G722/8000/1\r\n\
a=rtpmap:0 PCMU/8000\r\n\
a=rtpmap:8 PCMA/8000\r\n\
a=setup:active\r\n\
a=ssrc:342357590 cname:{43bcf876-91a8-4691-90da-506bba70001d}\r\n\
m=video 49207 UDP/TLS/RTP/SAVPF 97 98\r\n\
c=IN IP4 192.0.2.2\r\n\
a=sendrecv\r\n\
a=extmap:1 urn:ietf:params:rtp-hdrext:sdes:mid\r\n\
a=extmap:3 http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time\r\n\
a=fmtp:97 max-fs=12288;max-fr=60\r\n\
a=fmtp:98 apt=97\r\n\
a=ice-pwd:fcfb8d0d420274b576aea894e522b080\r\n\
a=ice-ufrag:f402834e\r\n\
a=mid:1\r\n\
a=msid:- {7104eb69-83b3-470b-8f87-ab38be324273}\r\n\
a=rtcp-fb:97 nack\r\n\
a=rtcp-fb:97 nack pli\r\n\
a=rtcp-fb:97 goog-remb\r\n\
a=rtcp-mux\r\n\
a=rtpmap:97 VP8/90000\r\n\
a=rtpmap:98 rtx/90000\r\n\
a=setup:active\r\n\
a=ssrc:435878152 cname:{43bcf876-91a8-4691-90da-506bba70001d}\r\n\
a=ssrc:72529329 cname:{43bcf876-91a8-4691-90da-506bba70001d}\r\n\
a=ssrc-group:FID 435878152 72529329\r\n\
m=application 49207 UDP/DTLS/SCTP webrtc-datachannel\r\n\
c=IN IP4 192.0.2.2\r\n\
a=sendrecv\r\n\
a=ice-pwd:fcfb8d0d420274b576aea894e522b080\r\n\
a=ice-ufrag:f402834e\r\n\
a=mid:2\r\n\
a=setup:active\r\n\
a=sctp-port:5000\r\n\
a=max-message-size:1073741823\r\n\
";

/// Firefox: one section of video in three layers; feedback also for a payload type it does not offer.
pub const FIREFOX_SIMULCAST_OFFER: &str = "\
v=0\r\n\
o=mozilla...THIS_IS_SDPARTA-99.0 2214174168890154567 0 IN IP4 0.0.0.0\r\n\
s=-\r\n\
t=0 0\r\n\
a=sendrecv\r\n\
a=fingerprint:sha-256 74:7D:D2:A3:BD:A5:81:3E:F1:7E:CC:54:50:E2:80:68:17:C3:DC:5B:7F:04:E8:94:51:C3:5F:4C:0D:62:21:44\r\n\
a=group:BUNDLE 0\r\n\
a=ice-options:trickle\r\n\
a=msid-semantic:WMS *\r\n\
m=video 60965 UDP/TLS/RTP/SAVPF 120 124\r\n\
c=IN IP4 192.0.2.2\r\n\
a=sendrecv\r\n\
a=end-of-candidates\r\n\
a=extmap:3 urn:ietf:params:rtp-hdrext:sdes:mid\r\n\
a=extmap:4 http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time\r\n\
a=extmap:5 urn:ietf:params:rtp-hdrext:toffset\r\n\
a=extmap:6/recvonly http://www.webrtc.org/experiments/rtp-hdrext/playout-delay\r\n\
a=extmap:7 http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01\r\n\
a=extmap:8/sendonly https://aomediacodec.github.io/av1-rtp-spec/#dependency-descriptor-rtp-header-extension\r\n\
a=extmap:9/sendonly urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id\r\n\
a=extmap:10/sendonly urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id\r\n\
a=extmap-allow-mixed\r\n\
a=fmtp:120 max-fs=12288;max-fr=60\r\n\
a=fmtp:124 apt=120\r\n\
a=ice-pwd:8fb7d3977733fea487136acf662dba6e\r\n\
a=ice-ufrag:9c811a3c\r\n\
a=mid:0\r\n\
a=msid:- {653df06c-df1a-490a-989b-1282877c0507}\r\n\
a=rid:q send\r\n\
a=rid:h send\r\n\
a=rid:f send\r\n\
a=rtcp:44723 IN IP4 192.0.2.2\r\n\
a=rtcp-fb:120 nack\r\n\
a=rtcp-fb:120 nack pli\r\n\
a=rtcp-fb:120 ccm fir\r\n\
a=rtcp-fb:120 goog-remb\r\n\
a=rtcp-fb:120 transport-cc\r\n\
a=rtcp-fb:121 nack\r\n\
a=rtcp-fb:121 nack pli\r\n\
a=rtcp-fb:121 ccm fir\r\n\
a=rtcp-fb:121 goog-remb\r\n\
a=rtcp-fb:121 transport-cc\r\n\
a=rtcp-mux\r\n\
a=rtcp-rsize\r\n\
a=rtpmap:120 VP8/90000\r\n\
a=rtpmap:124 rtx/90000\r\n\
a=setup:actpass\r\n\
a=simulcast:send q;h;f\r\n\
a=ssrc:1751742291 cname:{522f593f-647f-4f77-9196-6772335290e6}\r\n\
a=ssrc:3132518771 cname:{522f593f-647f-4f77-9196-6772335290e6}\r\n\
a=ssrc:2476974215 cname:{522f593f-647f-4f77-9196-6772335290e6}\r\n\
a=ssrc:2298861855 cname:{522f593f-647f-4f77-9196-6772335290e6}\r\n\
a=ssrc:1939410874 cname:{522f593f-647f-4f77-9196-6772335290e6}\r\n\
a=ssrc:3680308084 cname:{522f593f-647f-4f77-9196-6772335290e6}\r\n\
a=ssrc-group:FID 1751742291 3132518771\r\n\
a=ssrc-group:FID 2476974215 2298861855\r\n\
a=ssrc-group:FID 1939410874 3680308084\r\n\
";
