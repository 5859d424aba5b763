//! One version of all that is believed: drawn for a world, or as stated.

use super::belief::Belief;
use super::check::StrategySet;
use super::response::Lever;

/// Something that is believed, by its place in the strategy file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Assumed {
    /// The effect of a response.
    Effect(usize),
    /// What part of an action's offers is not claimed.
    Breakage(usize),
    /// What part of an action's additional revenue would have come in anyway.
    Cannibalisation(usize),
    /// New customers per period.
    Arrivals,
}

/// All that is believed, as it is in one world.
#[derive(Debug, Clone, PartialEq)]
pub struct World {
    /// By response: the effect.
    pub effects: Vec<f64>,
    /// By action: the share of orders on which it is not claimed, 0 to 1.
    pub breakage: Vec<f64>,
    /// By action: the share of the additional revenue that would have come in anyway, 0 to 1.
    pub cannibalisation: Vec<f64>,
    /// New customers per period, of which the horizon has [`StrategySet::periods`]; 0 where there are none.
    pub arrivals: f64,
}

impl StrategySet {
    /// Everything that is believed, in the order of the file.
    pub fn assumed(&self) -> Vec<Assumed> {
        let actions = 0..self.actions.len();
        (0..self.responses.len())
            .map(Assumed::Effect)
            .chain(actions.clone().map(Assumed::Breakage))
            .chain(actions.map(Assumed::Cannibalisation))
            .chain(self.new_customers.as_ref().map(|_| Assumed::Arrivals))
            .collect()
    }

    /// The belief itself.
    pub fn belief(&self, of: Assumed) -> Option<&Belief> {
        match of {
            Assumed::Effect(i) => self.responses.get(i).map(|r| &r.effect),
            Assumed::Breakage(i) => self.actions.get(i).map(|a| &a.breakage),
            Assumed::Cannibalisation(i) => self.actions.get(i).map(|a| &a.cannibalisation),
            Assumed::Arrivals => self.new_customers.as_ref(),
        }
    }

    /// What it is called: unique in a file, and what its luck is keyed by.
    pub fn assumed_name(&self, of: Assumed) -> String {
        match of {
            Assumed::Effect(i) => {
                let r = &self.responses[i];
                format!("{} of {} in {}", r.on.name(), self.actions[r.action].name, self.tiers[r.tier])
            }
            Assumed::Breakage(i) => format!("breakage of {}", self.actions[i].name),
            Assumed::Cannibalisation(i) => format!("cannibalisation of {}", self.actions[i].name),
            Assumed::Arrivals => "new customers".to_string(),
        }
    }

    /// Everything as stated.
    pub fn stated(&self) -> World {
        self.world(|of, belief| within(of, belief.value))
    }

    /// Everything as drawn for world `number`: each belief on its own, the same in all strategies.
    pub fn draw(&self, seed: u64, number: u32) -> World {
        self.world(|of, belief| {
            let key = match of {
                Assumed::Effect(i) => self.responses[i].key.clone(),
                _ => self.assumed_name(of),
            };
            within(of, belief.draw(&key, seed, number))
        })
    }

    fn world(&self, value: impl Fn(Assumed, &Belief) -> f64) -> World {
        let of = |assumed: Assumed| self.belief(assumed).map_or(0.0, |belief| value(assumed, belief));
        World {
            effects: (0..self.responses.len()).map(|i| of(Assumed::Effect(i))).collect(),
            breakage: (0..self.actions.len()).map(|i| of(Assumed::Breakage(i))).collect(),
            cannibalisation: (0..self.actions.len()).map(|i| of(Assumed::Cannibalisation(i))).collect(),
            arrivals: of(Assumed::Arrivals),
        }
    }

    /// The factor on a lever of a tier's customers who get `money` of `action` in a world; for reactivation the probability
    /// of coming back. 1 (0 for reactivation) where no response is stated.
    pub fn factor(&self, world: &World, action: usize, money: f64, tier: usize, on: Lever) -> f64 {
        let found = self.responses.iter().position(|r| r.action == action && r.tier == tier && r.on == on);
        match found {
            Some(i) => self.responses[i].factor(world.effects[i], self.actions[action].dose(money)),
            None if on == Lever::Reactivation => 0.0,
            None => 1.0,
        }
    }
}

impl World {
    /// Sets one belief.
    pub fn set(&mut self, of: Assumed, value: f64) {
        let value = within(of, value);
        match of {
            Assumed::Effect(i) => self.effects[i] = value,
            Assumed::Breakage(i) => self.breakage[i] = value,
            Assumed::Cannibalisation(i) => self.cannibalisation[i] = value,
            Assumed::Arrivals => self.arrivals = value,
        }
    }
}

/// A draw may leave the range that its meaning has; an effect is bounded where it becomes a factor.
fn within(of: Assumed, value: f64) -> f64 {
    match of {
        Assumed::Effect(_) => value,
        Assumed::Breakage(_) | Assumed::Cannibalisation(_) => value.clamp(0.0, 1.0),
        Assumed::Arrivals => value.max(0.0),
    }
}
