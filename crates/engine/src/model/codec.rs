//! The stored bytes of `ltv.model`: a version byte, a fingerprint of the payload, and the payload (postcard).

use sha2::{Digest, Sha256};

use crate::hazard::sandwich::Clustered;
use crate::model::legacy::Version1;
use crate::model::{Fit, Model};
use crate::survival::RecalibrationMap;
use crate::{Error, Result};

const VERSION: u8 = 2;
/// The same behind a recalibration.
const RECALIBRATED: u8 = 3;
/// Behind a recalibration, if there is one, and what its fits tell of clusters, if not nothing.
const CLUSTERED: u8 = 4;
/// The first half of the payload's SHA-256.
pub const FINGERPRINT_BYTES: usize = 16;
/// What stands before the payload; equal headers mean equal models, so a cache may compare just these bytes.
pub const HEADER_BYTES: usize = 1 + FINGERPRINT_BYTES;

/// What tells stored values apart.
pub fn fingerprint(payload: &[u8]) -> [u8; FINGERPRINT_BYTES] {
    let digest = Sha256::digest(payload);
    std::array::from_fn(|i| digest[i])
}

impl Model {
    pub fn encode(&self) -> Result<Vec<u8>> {
        let clusters = self.clusters();
        let (version, payload) = match &self.recalibration {
            map if clusters.iter().any(Option::is_some) => (CLUSTERED, postcard::to_stdvec(&(map, clusters, self))),
            None => (VERSION, postcard::to_stdvec(self)),
            Some(map) => (RECALIBRATED, postcard::to_stdvec(&(map, self))),
        };
        let payload = payload.map_err(|e| Error::malformed(format!("the model cannot be stored: {e}")))?;
        let mut bytes = Vec::with_capacity(HEADER_BYTES + payload.len());
        bytes.push(version);
        bytes.extend_from_slice(&fingerprint(&payload));
        bytes.extend_from_slice(&payload);
        Ok(bytes)
    }

    /// # Errors
    /// [`Error::Malformed`] for another version, a wrong fingerprint, or parts that do not fit each other.
    pub fn decode(bytes: &[u8]) -> Result<Model> {
        let model = Model::read(bytes)?;
        model.validate()?;
        Ok(model)
    }

    /// As [`Model::decode`] for a model that is part of another: one that has parts itself is not looked into.
    pub(super) fn decode_component(bytes: &[u8]) -> Result<Model> {
        let model = Model::read(bytes)?;
        if matches!(model.fit, Fit::Hybrid(_)) {
            return Err(Error::malformed("a hybrid model is part of another"));
        }
        model.validate()?;
        Ok(model)
    }

    fn read(bytes: &[u8]) -> Result<Model> {
        let (header, payload) =
            bytes.split_at_checked(HEADER_BYTES).ok_or_else(|| Error::malformed("a stored model ends too early"))?;
        if !(1..=CLUSTERED).contains(&header[0]) {
            return Err(Error::malformed(format!(
                "format version {} of ltv.model is not known to this release",
                header[0]
            )));
        }
        if header[1..] != fingerprint(payload) {
            return Err(Error::malformed("a stored model does not match its fingerprint"));
        }
        let unreadable = |e| Error::malformed(format!("a stored model cannot be read: {e}"));
        if header[0] == 1 {
            return postcard::from_bytes::<Version1>(payload).map_err(unreadable)?.into_model();
        }
        let (map, clusters, model): (Option<RecalibrationMap>, Vec<Option<Clustered>>, Model) = match header[0] {
            CLUSTERED => postcard::from_bytes(payload),
            RECALIBRATED => postcard::from_bytes(payload).map(|(map, model)| (Some(map), Vec::new(), model)),
            _ => postcard::from_bytes(payload).map(|model| (None, Vec::new(), model)),
        }
        .map_err(unreadable)?;
        let mut model = Model { recalibration: map, ..model };
        if header[0] == CLUSTERED {
            model.take_clusters(clusters)?;
        }
        Ok(model)
    }
}
