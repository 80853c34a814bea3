//! Data channels over message streams: DCEP (RFC 8832) and channel bookkeeping (RFC 8831), sans-IO
