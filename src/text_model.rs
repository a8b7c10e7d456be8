//! The text form of a model: its fields by name, with what is stored beside them.

use ltv_engine::hazard::sandwich::Clustered;
use ltv_engine::model::Model;
use ltv_engine::model::legacy::Version1;
use ltv_engine::survival::RecalibrationMap;
use ltv_engine::{Error, Result};
use serde::{Deserialize, Serialize};

use crate::text::{Text, known, parse, print};

const VERSION: u32 = 2;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Plain {
    version: u32,
    model: Model,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Plain1 {
    #[serde(rename = "version")]
    _version: u32,
    model: Version1,
}

/// A model behind a recalibration.
const RECALIBRATED_VERSION: u32 = 3;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Recalibrated {
    version: u32,
    recalibration: RecalibrationMap,
    model: Model,
}

/// A model with errors by clusters, perhaps behind a recalibration.
const CLUSTERED_VERSION: u32 = 4;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct OfClusters {
    version: u32,
    recalibration: Option<RecalibrationMap>,
    /// Of each of its fits.
    clusters: Vec<Option<Clustered>>,
    model: Model,
}

/// Read first, to know how to read the rest.
#[derive(Deserialize)]
struct Versioned {
    version: u32,
}

impl Text for Model {
    fn to_text(&self) -> Result<String> {
        let (clusters, model) = (self.clusters(), self.clone());
        match &self.recalibration {
            map if clusters.iter().any(Option::is_some) => print(&OfClusters {
                version: CLUSTERED_VERSION,
                recalibration: map.clone(),
                clusters: clusters.into_iter().map(|clustered| clustered.cloned()).collect(),
                model,
            }),
            None => print(&Plain { version: VERSION, model }),
            Some(map) => print(&Recalibrated { version: RECALIBRATED_VERSION, recalibration: map.clone(), model }),
        }
    }

    fn from_text(text: &str) -> Result<Self> {
        let model = match parse::<Versioned>(text, "ltv.model")?.version {
            1 => return parse::<Plain1>(text, "ltv.model")?.model.into_model(),
            VERSION => parse::<Plain>(text, "ltv.model")?.model,
            RECALIBRATED_VERSION => {
                let Recalibrated { recalibration, model, .. } = parse(text, "ltv.model")?;
                Model { recalibration: Some(recalibration), ..model }
            }
            CLUSTERED_VERSION => {
                let OfClusters { recalibration, clusters, model, .. } = parse(text, "ltv.model")?;
                let mut model = Model { recalibration, ..model };
                model.take_clusters(clusters)?;
                model
            }
            version => {
                known(version, "ltv.model")?;
                return Err(Error::malformed("invalid input syntax for type ltv.model"));
            }
        };
        model.validate()?;
        Ok(model)
    }
}
