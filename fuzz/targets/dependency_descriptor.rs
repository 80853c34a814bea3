//! Any bytes as dependency descriptors of one stream, each with its length before it: what is read
//! is written again and reads the same.
#![no_main]

use libfuzzer_sys::fuzz_target;
use rtp::extension::{DependencyDescriptor, TemplateStructure};

fuzz_target!(|bytes: &[u8]| {
    let mut last: Option<TemplateStructure> = None;
    let mut rest = bytes;
    while let Some((&len, after)) = rest.split_first() {
        let (value, after) = after.split_at(after.len().min(len.into()));
        rest = after;
        let Ok(mut descriptor) = DependencyDescriptor::parse(value, last.as_ref()) else {
            continue;
        };
        let written = descriptor
            .write(last.as_ref())
            .expect("what was read can be written");
        let again = DependencyDescriptor::parse(&written, last.as_ref());
        assert_eq!(again.as_ref(), Ok(&descriptor));
        if let Some(structure) = descriptor.structure.take() {
            assert!(structure.templates.len() <= 64);
            last = Some(structure);
        }
        if let Some(structure) = &last {
            let _ = structure.frame(&descriptor);
            for target in 0..structure.decode_target_count {
                let _ = structure.decode_target_layer(target.into());
            }
        }
    }
});
