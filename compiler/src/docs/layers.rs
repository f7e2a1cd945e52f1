//! A drawing of a directed acyclic graph in layers, from left to right (Sugiyama et al. 1981).
//!
//! The longest path to a node determines its layer. Within a layer, nodes are ordered by the mean
//! place of their neighbours, which leaves few crossings. Nodes are placed as close to their
//! neighbours as the gaps allow. An edge that skips a layer passes through it on a separate lane,
//! which all readers of a node share, so that no edge crosses a box.

/// The width of the space between layers, for the edges.
const CHANNEL: f64 = 44.0;
/// The vertical gap between items.
const GAP: f64 = 14.0;
/// The number of sweeps over the layers. More changed nothing for any of our cells.
const SWEEPS: usize = 12;

/// A box to be placed. Edges lead from lower numbers to higher ones.
#[derive(Debug, Clone)]
pub struct Node {
    pub width: f64,
    pub height: f64,
    pub side: Side,
    /// The nodes that this one reads.
    pub reads: Vec<usize>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// The first layer.
    Left,
    /// The layer determined by the longest path.
    Between,
    /// The last layer.
    Right,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rect {
    pub x: f64,
    pub y: f64,
    pub width: f64,
    pub height: f64,
}

/// A part of an edge: through the space between two layers, or straight through one layer.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Segment {
    pub from: (f64, f64),
    pub to: (f64, f64),
    /// The horizontal range of the bend, where there are no boxes. The segment is level elsewhere.
    pub bend: (f64, f64),
    /// A flag: the segment ends at a box.
    pub arrives: bool,
}

#[derive(Debug)]
pub struct Drawing {
    pub boxes: Vec<Rect>,
    pub segments: Vec<Segment>,
    pub width: f64,
    pub height: f64,
}

/// A node, or the lane of a node's edges through a layer that they skip.
#[derive(Debug, Clone, Copy)]
struct Item {
    node: usize,
    is_lane: bool,
    layer: usize,
    height: f64,
    middle: f64,
}

struct Layered {
    items: Vec<Item>,
    layers: Vec<Vec<usize>>,
    /// The neighbours of each item in the previous layer (`before`) and in the next one (`after`).
    before: Vec<Vec<usize>>,
    after: Vec<Vec<usize>>,
}

/// Places every box and edge.
pub fn draw(nodes: &[Node]) -> Drawing {
    let mut graph = Layered::new(nodes, &layers(nodes));
    graph.order();
    graph.place();
    graph.drawing(nodes)
}

fn layers(nodes: &[Node]) -> Vec<usize> {
    let mut layers: Vec<usize> = vec![];
    for node in nodes {
        let least = if node.side == Side::Left { 0 } else { 1 };
        layers.push(node.reads.iter().map(|read| layers[*read] + 1).fold(least, usize::max));
    }
    let last = layers.iter().copied().max().unwrap_or(0);
    let is_right = |node: &Node| node.side == Side::Right;
    for (layer, _) in layers.iter_mut().zip(nodes).filter(|(_, node)| is_right(node)) {
        *layer = last;
    }
    layers
}

impl Layered {
    fn new(nodes: &[Node], layers: &[usize]) -> Self {
        let count = layers.iter().max().map_or(0, |last| last + 1);
        let mut graph = Layered { items: vec![], layers: vec![vec![]; count], before: vec![], after: vec![] };
        for (node, spec) in nodes.iter().enumerate() {
            graph.push(Item { node, is_lane: false, layer: layers[node], height: spec.height, middle: 0.0 });
        }
        // The items of each node so far, in its own layer and in the following ones.
        let mut track: Vec<Vec<usize>> = (0..nodes.len()).map(|node| vec![node]).collect();
        for (reader, spec) in nodes.iter().enumerate() {
            for &read in &spec.reads {
                let distance = layers[reader] - layers[read];
                while track[read].len() < distance {
                    let layer = layers[read] + track[read].len();
                    let lane =
                        graph.push(Item { node: read, is_lane: true, layer, height: 0.0, middle: 0.0 });
                    graph.join(track[read][track[read].len() - 1], lane);
                    track[read].push(lane);
                }
                graph.join(track[read][distance - 1], reader);
            }
        }
        graph
    }

    fn push(&mut self, item: Item) -> usize {
        self.layers[item.layer].push(self.items.len());
        self.items.push(item);
        self.before.push(vec![]);
        self.after.push(vec![]);
        self.items.len() - 1
    }

    fn join(&mut self, from: usize, to: usize) {
        self.after[from].push(to);
        self.before[to].push(from);
    }

    /// Sorts each layer by the mean place of its neighbours, alternating between both directions.
    /// Keeps the best order.
    fn order(&mut self) {
        let mut best = (self.crossings(), self.layers.clone());
        for sweep in 0..SWEEPS {
            let forwards = sweep % 2 == 0;
            let mut places = self.ranks();
            for step in 1..self.layers.len() {
                let layer = if forwards { step } else { self.layers.len() - 1 - step };
                let neighbours = if forwards { &self.before } else { &self.after };
                let mean = |item: usize| match neighbours[item].as_slice() {
                    [] => places[item],
                    found => found.iter().map(|other| places[*other]).sum::<f64>() / found.len() as f64,
                };
                let mut keyed: Vec<(f64, usize)> =
                    self.layers[layer].iter().map(|item| (mean(*item), *item)).collect();
                keyed.sort_by(|(a, _), (b, _)| a.total_cmp(b));
                let count = keyed.len() as f64;
                self.layers[layer] = keyed.into_iter().map(|(_, item)| item).collect();
                for (rank, &item) in self.layers[layer].iter().enumerate() {
                    places[item] = (rank as f64 + 0.5) / count;
                }
            }
            let crossings = self.crossings();
            if crossings < best.0 {
                best = (crossings, self.layers.clone());
            }
        }
        self.layers = best.1;
    }

    /// Returns the place of each item within its layer, from 0 to 1.
    fn ranks(&self) -> Vec<f64> {
        let mut places = vec![0.0; self.items.len()];
        for layer in &self.layers {
            for (rank, &item) in layer.iter().enumerate() {
                places[item] = (rank as f64 + 0.5) / layer.len() as f64;
            }
        }
        places
    }

    /// Counts the pairs of edges between neighbouring layers that cross.
    fn crossings(&self) -> usize {
        let places = self.ranks();
        let mut count = 0;
        for layer in &self.layers {
            let mut edges: Vec<(f64, f64)> = vec![];
            for &item in layer {
                edges.extend(self.after[item].iter().map(|to| (places[item], places[*to])));
            }
            for (index, a) in edges.iter().enumerate() {
                count += edges[..index].iter().filter(|b| (a.0 - b.0) * (a.1 - b.1) < 0.0).count();
            }
        }
        count
    }

    /// Determines the heights: each item is as close to the mean of its neighbours as the order and
    /// the gaps allow.
    fn place(&mut self) {
        for layer in 0..self.layers.len() {
            self.settle(layer, |_| 0.0);
        }
        let joined = self.before.iter().zip(&self.after);
        let neighbours: Vec<Vec<usize>> =
            joined.map(|(before, after)| [&before[..], after].concat()).collect();
        for sweep in 0..2 * SWEEPS {
            let forwards = sweep % 2 == 0;
            for step in 0..self.layers.len() {
                let layer = if forwards { step } else { self.layers.len() - 1 - step };
                let middles: Vec<f64> = self.items.iter().map(|item| item.middle).collect();
                self.settle(layer, |item| match neighbours[item].as_slice() {
                    [] => middles[item],
                    found => found.iter().map(|other| middles[*other]).sum::<f64>() / found.len() as f64,
                });
            }
        }
        let top = self.items.iter().map(|item| item.middle - item.height / 2.0).fold(f64::INFINITY, f64::min);
        for item in &mut self.items {
            item.middle -= top;
        }
    }

    /// Places the items of a layer in order, with the least squared distance from their wanted
    /// places. Items that want the same place form a block, which is placed at their mean (pool
    /// adjacent violators).
    fn settle(&mut self, layer: usize, wanted: impl Fn(usize) -> f64) {
        let order = &self.layers[layer];
        let mut offset = 0.0;
        let mut offsets = vec![];
        for (index, &item) in order.iter().enumerate() {
            if let Some(above) = index.checked_sub(1) {
                offset += (self.items[order[above]].height + self.items[item].height) / 2.0 + GAP;
            }
            offsets.push(offset);
        }
        // Blocks of items: the sum of their wanted places, and their number.
        let mut blocks: Vec<(f64, usize)> = vec![];
        for (&item, offset) in order.iter().zip(&offsets) {
            let mut block = (wanted(item) - offset, 1);
            while let Some(&(sum, count)) = blocks.last()
                && sum / count as f64 >= block.0 / block.1 as f64
            {
                blocks.pop();
                block = (sum + block.0, count + block.1);
            }
            blocks.push(block);
        }
        let mut at = 0;
        for (sum, count) in blocks {
            for _ in 0..count {
                self.items[order[at]].middle = sum / count as f64 + offsets[at];
                at += 1;
            }
        }
    }

    fn drawing(&self, nodes: &[Node]) -> Drawing {
        let is_box = |item: &&usize| !self.items[**item].is_lane;
        let widths: Vec<f64> = self
            .layers
            .iter()
            .map(|layer| layer.iter().filter(is_box).map(|item| nodes[*item].width).fold(0.0, f64::max))
            .collect();
        let starts: Vec<f64> = widths
            .iter()
            .scan(0.0, |x, width| {
                let start = *x;
                *x += width + CHANNEL;
                Some(start)
            })
            .collect();
        // A box is centred in its layer; a lane crosses all of it.
        let extent = |item: usize| {
            let Item { node, is_lane, layer, .. } = self.items[item];
            let width = if is_lane { widths[layer] } else { nodes[node].width };
            let x = starts[layer] + (widths[layer] - width) / 2.0;
            (x, x + width)
        };
        let mut segments = vec![];
        for (item, after) in self.after.iter().enumerate() {
            let (left, right) = extent(item);
            let middle = self.items[item].middle;
            if self.items[item].is_lane {
                segments.push(Segment {
                    from: (left, middle),
                    to: (right, middle),
                    bend: (left, right),
                    arrives: false,
                });
            }
            for &to in after {
                let target = &self.items[to];
                let channel = starts[target.layer];
                segments.push(Segment {
                    from: (right, middle),
                    to: (extent(to).0, target.middle),
                    bend: (channel - CHANNEL, channel),
                    arrives: !target.is_lane,
                });
            }
        }
        let place = |(node, spec): (usize, &Node)| Rect {
            x: extent(node).0,
            y: self.items[node].middle - spec.height / 2.0,
            width: spec.width,
            height: spec.height,
        };
        let boxes: Vec<Rect> = nodes.iter().enumerate().map(place).collect();
        let bottom = self.items.iter().map(|item| item.middle + item.height / 2.0).fold(0.0, f64::max);
        let width = starts.last().zip(widths.last()).map_or(0.0, |(start, width)| start + width);
        Drawing { boxes, segments, width, height: bottom }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::random::Random;

    fn random(random: &mut Random) -> Vec<Node> {
        let count = 2 + random.below(38);
        let left = 1 + random.below(count - 1);
        (0..count)
            .map(|index| {
                let reads = if index < left { 0 } else { 1 + random.below(4) };
                let mut reads: Vec<usize> = (0..reads).map(|_| random.below(index)).collect();
                reads.sort_unstable();
                reads.dedup();
                Node {
                    width: 40.0 + random.below(100) as f64,
                    height: 36.0,
                    side: if index < left { Side::Left } else { Side::Between },
                    reads,
                }
            })
            .collect()
    }

    fn overlap(a: &Rect, b: &Rect) -> bool {
        a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height
    }

    #[test]
    fn nothing_overlaps_and_edges_lead_to_the_right() {
        let mut source = Random::new(3);
        for _ in 0..200 {
            let nodes = random(&mut source);
            let drawing = draw(&nodes);
            for (index, rect) in drawing.boxes.iter().enumerate() {
                assert!(rect.x >= 0.0 && rect.x + rect.width <= drawing.width + 1e-9, "{rect:?}");
                assert!(rect.y >= -1e-9 && rect.y + rect.height <= drawing.height + 1e-9, "{rect:?}");
                for other in &drawing.boxes[..index] {
                    assert!(!overlap(rect, other), "{rect:?} {other:?}");
                }
                for read in &nodes[index].reads {
                    let other = drawing.boxes[*read];
                    assert!(other.x + other.width + CHANNEL <= rect.x + 1e-9, "{other:?} {rect:?}");
                }
            }
            for segment in &drawing.segments {
                let level = |from: f64, to: f64, y: f64| Rect { x: from, y, width: to - from, height: 0.0 };
                let bend = Rect {
                    x: segment.bend.0,
                    y: segment.from.1.min(segment.to.1),
                    width: segment.bend.1 - segment.bend.0,
                    height: (segment.from.1 - segment.to.1).abs(),
                };
                for line in [
                    level(segment.from.0, segment.bend.0, segment.from.1),
                    bend,
                    level(segment.bend.1, segment.to.0, segment.to.1),
                ] {
                    assert!(!drawing.boxes.iter().any(|rect| overlap(&line, rect)), "{segment:?}");
                }
            }
        }
    }

    #[test]
    fn a_chain_is_a_straight_line() {
        let node = |side, reads| Node { width: 50.0, height: 30.0, side, reads };
        let nodes = [node(Side::Left, vec![]), node(Side::Between, vec![0]), node(Side::Right, vec![1])];
        let drawing = draw(&nodes);
        assert!(drawing.boxes.iter().all(|rect| rect.y.abs() < 1e-9));
        assert_eq!(drawing.segments.len(), 2);
        assert_eq!(drawing.width, 3.0 * 50.0 + 2.0 * CHANNEL);
    }

    #[test]
    fn readers_of_one_value_share_its_lane() {
        let node = |side, reads| Node { width: 50.0, height: 30.0, side, reads };
        let nodes = [
            node(Side::Left, vec![]),
            node(Side::Between, vec![0]),
            node(Side::Between, vec![1]),
            node(Side::Right, vec![0, 2]),
            node(Side::Right, vec![0]),
        ];
        // Two layers are skipped, each by one lane.
        assert_eq!(Layered::new(&nodes, &layers(&nodes)).items.len(), nodes.len() + 2);
    }
}
