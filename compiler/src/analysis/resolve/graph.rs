//! Strongly connected components and cycles of small directed graphs. The algorithms are not
//! recursive, so that a long definition cannot overflow the compiler's stack.

use std::collections::VecDeque;

/// Returns the index of the strongly connected component of each node, by Tarjan's algorithm. The
/// index of a component is larger than those of the components that it leads to.
pub fn components(edges: &[Vec<usize>]) -> Vec<usize> {
    const UNSEEN: usize = usize::MAX;
    let count = edges.len();
    let mut component = vec![UNSEEN; count];
    let mut components = 0;
    let mut index = vec![UNSEEN; count];
    let mut low = vec![0; count];
    let mut next_index = 0;
    let mut open: Vec<usize> = vec![];
    for root in 0..count {
        if index[root] != UNSEEN {
            continue;
        }
        let mut work = vec![(root, 0)];
        while let Some(&(node, next)) = work.last() {
            if next == 0 {
                index[node] = next_index;
                low[node] = next_index;
                next_index += 1;
                open.push(node);
            }
            if let Some(&to) = edges[node].get(next) {
                if let Some(top) = work.last_mut() {
                    top.1 += 1;
                }
                if index[to] == UNSEEN {
                    work.push((to, 0));
                } else if component[to] == UNSEEN {
                    low[node] = low[node].min(index[to]);
                }
                continue;
            }
            work.pop();
            if let Some(&(parent, _)) = work.last() {
                low[parent] = low[parent].min(low[node]);
            }
            if low[node] == index[node] {
                while let Some(member) = open.pop() {
                    component[member] = components;
                    if member == node {
                        break;
                    }
                }
                components += 1;
            }
        }
    }
    component
}

/// Returns the shortest path from one node to another within a component, both ends included.
pub fn path(edges: &[Vec<usize>], component: &[usize], from: usize, to: usize) -> Option<Vec<usize>> {
    let mut came_from = vec![usize::MAX; edges.len()];
    let mut queue = VecDeque::from([from]);
    came_from[from] = from;
    while let Some(node) = queue.pop_front() {
        if node == to {
            let mut path = vec![to];
            let mut at = to;
            while at != from {
                at = came_from[at];
                path.push(at);
            }
            path.reverse();
            return Some(path);
        }
        for &next in &edges[node] {
            if component[next] == component[from] && came_from[next] == usize::MAX {
                came_from[next] = node;
                queue.push_back(next);
            }
        }
    }
    None
}

/// Returns a flag for each node: it can be reached from the roots.
pub fn reachable(edges: &[Vec<usize>], roots: impl IntoIterator<Item = usize>) -> Vec<bool> {
    let mut seen = vec![false; edges.len()];
    let mut work: Vec<usize> = roots.into_iter().collect();
    while let Some(node) = work.pop() {
        if !std::mem::replace(&mut seen[node], true) {
            work.extend(&edges[node]);
        }
    }
    seen
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn components_of_two_cycles_and_a_bridge() {
        let edges = vec![vec![1], vec![0, 2], vec![3], vec![2], vec![0]];
        let component = components(&edges);
        assert_eq!(component[0], component[1]);
        assert_eq!(component[2], component[3]);
        assert!(component[0] > component[2]);
        assert!(component[4] > component[0]);
    }

    #[test]
    fn the_shortest_path_stays_within_the_component() {
        let edges = vec![vec![1, 2], vec![2], vec![0]];
        let component = components(&edges);
        assert_eq!(path(&edges, &component, 0, 2), Some(vec![0, 2]));
        assert_eq!(path(&[vec![1], vec![]], &[1, 0], 0, 1), None);
    }

    #[test]
    fn a_cycle_of_a_hundred_thousand_nodes_does_not_overflow_the_stack() {
        let count = 100_000;
        let mut edges: Vec<Vec<usize>> = (1..=count).map(|next| vec![next]).collect();
        edges.push(vec![0]);
        assert!(components(&edges).iter().all(|component| *component == 0));
        assert!(reachable(&edges, [5]).into_iter().all(|seen| seen));
    }
}
