//! The template dependency structure (A.8.2).

use super::{DecodeTargetIndication, DependencyDescriptor, FrameDependencies};
use crate::extension::bits::{BitReader, BitWriter};
use crate::{DecodeError, EncodeError};
use smallvec::SmallVec;

/// Templates that an id of 6 bits can tell apart.
const MAX_TEMPLATES: usize = 64;

/// The highest spatial id: 2 bits in AV1 (its specification, 5.3.3).
const MAX_SPATIAL_ID: u8 = 3;

/// The highest temporal id: 3 bits in AV1.
const MAX_TEMPORAL_ID: u8 = 7;

/// Decode targets that 5 bits can count.
const MAX_DECODE_TARGETS: u8 = 32;

/// How the frames of a coded video sequence usually depend on each other.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TemplateStructure {
    /// The id of the first template; 6 bits.
    pub template_id_offset: u8,
    /// How many decode targets there are, 1 to 32.
    pub decode_target_count: u8,
    /// The templates, 1 to 64, ordered by spatial and temporal layer.
    pub templates: Vec<Template>,
    /// Which chain protects each decode target; empty without chains.
    pub protected_by: SmallVec<[u8; 16]>,
    /// Width and height of each spatial layer in pixels, 1 to 65 536; empty when not said.
    pub resolutions: SmallVec<[(u32, u32); 4]>,
}

/// The dependencies of a frame that comes again and again.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Template {
    /// The spatial layer, 0 to 3.
    pub spatial_id: u8,
    /// The temporal layer, 0 to 7.
    pub temporal_id: u8,
    /// What each decode target has of it.
    pub decode_target_indications: SmallVec<[DecodeTargetIndication; 16]>,
    /// How many frames ago each frame was that it refers to, 1 to 16.
    pub frame_differences: SmallVec<[u16; 4]>,
    /// How many frames ago the last frame of each chain was, 0 to 15.
    pub chain_differences: SmallVec<[u8; 4]>,
}

impl TemplateStructure {
    /// How many chains there are.
    #[must_use]
    pub fn chain_count(&self) -> u8 {
        let chains = self
            .templates
            .first()
            .map(|first| first.chain_differences.len());
        chains.and_then(|len| u8::try_from(len).ok()).unwrap_or(0)
    }

    /// The mask of all decode targets.
    #[must_use]
    pub fn all_decode_targets(&self) -> u32 {
        let unused = u32::BITS.saturating_sub(self.decode_target_count.into());
        u32::MAX.checked_shr(unused).unwrap_or(0)
    }

    /// The template of a frame; `None` if the id is of another structure.
    #[must_use]
    pub fn template(&self, template_id: u8) -> Option<&Template> {
        let index = template_id.wrapping_sub(self.template_id_offset) % 64;
        self.templates.get(usize::from(index))
    }

    /// The dependencies of a frame; `None` if its template is of another structure.
    #[must_use]
    pub fn frame<'a>(
        &'a self,
        descriptor: &'a DependencyDescriptor,
    ) -> Option<FrameDependencies<'a>> {
        let template = self.template(descriptor.template_id)?;
        let indications = descriptor.decode_target_indications.as_deref();
        let frames = descriptor.frame_differences.as_deref();
        let chains = descriptor.chain_differences.as_deref();
        Some(FrameDependencies {
            spatial_id: template.spatial_id,
            temporal_id: template.temporal_id,
            decode_target_indications: indications.unwrap_or(&template.decode_target_indications),
            frame_differences: frames.unwrap_or(&template.frame_differences),
            chain_differences: chains.unwrap_or(&template.chain_differences),
            resolution: self
                .resolutions
                .get(usize::from(template.spatial_id))
                .copied(),
        })
    }

    /// The highest spatial and temporal layer of a decode target: its picture is the spatial one,
    /// its rate the temporal one.
    #[must_use]
    pub fn decode_target_layer(&self, decode_target: usize) -> (u8, u8) {
        let has = |template: &&Template| {
            let indication = template.decode_target_indications.get(decode_target);
            indication.is_some_and(|one| *one != DecodeTargetIndication::NotPresent)
        };
        let templates = self.templates.iter().filter(has);
        templates.fold((0, 0), |(spatial, temporal), template| {
            (
                spatial.max(template.spatial_id),
                temporal.max(template.temporal_id),
            )
        })
    }

    pub(super) fn parse(bits: &mut BitReader<'_>) -> Result<Self, DecodeError> {
        let template_id_offset = bits.u8(6)?;
        let decode_target_count = bits.u8(5)? + 1;
        let mut structure = Self {
            template_id_offset,
            decode_target_count,
            templates: parse_layers(bits)?,
            ..Self::default()
        };
        for template in &mut structure.templates {
            let list = (0..decode_target_count).map(|_| DecodeTargetIndication::parse(bits));
            template.decode_target_indications = list.collect::<Result<_, _>>()?;
        }
        for template in &mut structure.templates {
            while bits.flag()? {
                template.frame_differences.push(bits.u16(4)? + 1);
            }
        }
        structure.parse_chains(bits)?;
        if bits.flag()? {
            for _ in 0..=structure.max_spatial_id() {
                let (width, height) = (bits.u32(16)? + 1, bits.u32(16)? + 1);
                structure.resolutions.push((width, height));
            }
        }
        Ok(structure)
    }

    fn parse_chains(&mut self, bits: &mut BitReader<'_>) -> Result<(), DecodeError> {
        let chains = bits.non_symmetric(self.decode_target_count + 1)?;
        if chains == 0 {
            return Ok(());
        }
        for _ in 0..self.decode_target_count {
            self.protected_by.push(bits.non_symmetric(chains)?);
        }
        for template in &mut self.templates {
            let list = (0..chains).map(|_| bits.u8(4));
            template.chain_differences = list.collect::<Result<_, _>>()?;
        }
        Ok(())
    }

    pub(super) fn write(&self, bits: &mut BitWriter) -> Result<(), EncodeError> {
        self.check()?;
        bits.put(6, self.template_id_offset)?;
        bits.put(5, self.decode_target_count - 1)?;
        self.write_layers(bits)?;
        for template in &self.templates {
            let list = &template.decode_target_indications;
            list.iter().try_for_each(|one| one.write(bits))?;
        }
        for template in &self.templates {
            for difference in &template.frame_differences {
                bits.flag(true);
                bits.put(4, difference.checked_sub(1).ok_or(EncodeError::Value)?)?;
            }
            bits.flag(false);
        }
        self.write_chains(bits)?;
        bits.flag(!self.resolutions.is_empty());
        for (width, height) in &self.resolutions {
            for size in [width, height] {
                bits.put(16, size.checked_sub(1).ok_or(EncodeError::Value)?)?;
            }
        }
        Ok(())
    }

    /// Whether all lists have the length that the others give them.
    fn check(&self) -> Result<(), EncodeError> {
        let (targets, chains) = (self.decode_target_count, self.chain_count());
        let protected = if chains == 0 { 0 } else { usize::from(targets) };
        let resolutions = self.resolutions.len();
        let fits = (1..=MAX_DECODE_TARGETS).contains(&targets)
            && chains <= targets
            && (1..=MAX_TEMPLATES).contains(&self.templates.len())
            && self.protected_by.len() == protected
            && (resolutions == 0 || resolutions == usize::from(self.max_spatial_id()) + 1)
            && self.templates.iter().all(|template| {
                template.decode_target_indications.len() == usize::from(targets)
                    && template.chain_differences.len() == usize::from(chains)
            });
        if fits {
            Ok(())
        } else {
            Err(EncodeError::Value)
        }
    }

    fn write_layers(&self, bits: &mut BitWriter) -> Result<(), EncodeError> {
        let mut before: Option<(u8, u8)> = None;
        for template in &self.templates {
            let (spatial, temporal) = (template.spatial_id, template.temporal_id);
            if spatial > MAX_SPATIAL_ID || temporal > MAX_TEMPORAL_ID {
                return Err(EncodeError::Value);
            }
            match before {
                None if (spatial, temporal) == (0, 0) => {}
                Some(same) if same == (spatial, temporal) => bits.put(2, 0_u8)?,
                Some((s, t)) if (s, t + 1) == (spatial, temporal) => bits.put(2, 1_u8)?,
                Some((s, _)) if (s + 1, 0) == (spatial, temporal) => bits.put(2, 2_u8)?,
                _ => return Err(EncodeError::Value),
            }
            before = Some((spatial, temporal));
        }
        bits.put(2, 3_u8)
    }

    fn write_chains(&self, bits: &mut BitWriter) -> Result<(), EncodeError> {
        let chains = self.chain_count();
        bits.put_non_symmetric(self.decode_target_count + 1, chains)?;
        for chain in &self.protected_by {
            bits.put_non_symmetric(chains, *chain)?;
        }
        for template in &self.templates {
            for difference in &template.chain_differences {
                bits.put(4, *difference)?;
            }
        }
        Ok(())
    }

    fn max_spatial_id(&self) -> u8 {
        self.templates.last().map_or(0, |last| last.spatial_id)
    }
}

/// A.8.2, `template_layers`.
fn parse_layers(bits: &mut BitReader<'_>) -> Result<Vec<Template>, DecodeError> {
    let mut templates = Vec::new();
    let (mut spatial_id, mut temporal_id) = (0, 0);
    loop {
        templates.push(Template {
            spatial_id,
            temporal_id,
            ..Template::default()
        });
        match bits.u8(2)? {
            0 => {}
            1 => temporal_id += 1,
            2 => {
                temporal_id = 0;
                spatial_id += 1;
            }
            _ => return Ok(templates),
        }
        let too_many = templates.len() == MAX_TEMPLATES;
        if too_many || spatial_id > MAX_SPATIAL_ID || temporal_id > MAX_TEMPORAL_ID {
            return Err(DecodeError::Value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_than_64_templates_are_refused() {
        let parsed = parse_layers(&mut BitReader::new(&[0; 64]));
        assert_eq!(parsed, Err(DecodeError::Value));
    }

    #[test]
    fn layers_beyond_those_of_av1_are_refused() {
        for next in [0x55, 0xAA] {
            let parsed = parse_layers(&mut BitReader::new(&[next; 8]));
            assert_eq!(parsed, Err(DecodeError::Value));
        }
    }

    #[test]
    fn masks_of_all_targets_have_one_bit_each() {
        for (count, mask) in [(0, 0), (1, 1), (3, 7), (32, u32::MAX), (200, u32::MAX)] {
            let structure = TemplateStructure {
                decode_target_count: count,
                ..TemplateStructure::default()
            };
            assert_eq!(structure.all_decode_targets(), mask);
        }
    }
}
