// What Python sends to our components, and what they report: the types of `data` (app/components writes it).

/**
 * @typedef {object} Model what the page knows of a model (app/components/payloads.py)
 * @property {string} name under which it is asked for
 * @property {string} digest of its weights: codes, names and links belong to it
 * @property {string} referenceDigest of its reference set: indices of images belong to it
 * @property {string} maps what stands in the addresses of its maps
 * @property {number} latentDim dimensions of a code
 * @property {number[]} shape of a picture: channels, height, width
 * @property {boolean} variational false for a plain autoencoder, which has no KL
 * @property {Slider[]} sliders one for each dimension, the most important first
 * @property {string[]} projections maps that can be chosen
 * @property {string} labelTitle what labels are of, "Digit"
 * @property {string[]} labelNames name of each class
 * @property {number} references images of the reference set
 * @property {boolean} trainingAtHand whether the data set that it was trained on is on the server
 * @property {number} seenInTraining reference images that are training images
 */

/**
 * @typedef {object} Slider
 * @property {number} dimension from 0
 * @property {string} name of the dimension; empty where it has none
 * @property {number} importance KL in nats; of a plain autoencoder the variance
 * @property {number} low end of the track
 * @property {number} high end of the track
 * @property {number[]} quantiles of the data: 5%, 25%, 50%, 75%, 95%
 */

/**
 * @typedef {object} View how the map is shown
 * @property {string} projection "umap", "pca" or "axes"
 * @property {number} x horizontal dimension of an axes map, from 0
 * @property {number} y vertical dimension of an axes map, from 0
 * @property {string} colour "label", the name of a value, or a dimension's number
 */

/**
 * @typedef {object} Picture one of the person's own
 * @property {string} id
 * @property {string} name
 * @property {string} image PNG in base64
 * @property {number[]} mean its code
 * @property {Record<string, number[]>} places x and y on each fitted map, by the map's name
 */

/**
 * @typedef {object} PictureStrip what is shown of the chosen picture
 * @property {{caption: string, image: string}[]} parts PNGs in base64
 * @property {string[]} lines its figures
 * @property {string} about how they are measured
 */

/** @typedef {{auroc: number, error: number, countA: number, countB: number, byPlace: boolean}} Separation */

/**
 * @typedef {object} Direction a direction with a slider of its own
 * @property {string} name
 * @property {string} kind "groups", "component" or "axis"
 * @property {number[]} vector one step
 * @property {number} low end of the track
 * @property {number} high end of the track
 * @property {Separation | null} separation of its two groups
 * @property {string | null} why there is no separation
 * @property {number | null} varianceShare of a principal component
 * @property {boolean} [builtIn] whether the page made it, so that nobody can take it away
 */

/** @typedef {string | null} Origin how members of a group were chosen: "map", "label" or "range"; null where nobody knows */

/**
 * @template Members
 * @typedef {{name: string, indices: Members, origin?: Origin}} NamedGroup reference images under a name
 */

/**
 * What a person laid out on Explore for one model.
 * @template Members indices as a list, or packed as base64 (ui/base64.js)
 * @typedef {object} Desk
 * @property {Members} selection reference images that are selected on the map
 * @property {Origin} origin how they were chosen
 * @property {NamedGroup<Members>[]} groups
 * @property {Direction[]} directions
 * @property {Record<string, string>} names what the person calls dimensions, by number
 * @property {number[]} locked dimensions that keep their value when codes are drawn or loaded
 * @property {string} tab the panel that is shown
 */

/** @typedef {{name: string, source: string, code: number[] | null, picture: string | null}} Keyframe */

/** @typedef {{rows: number, columns: number, spherical: boolean}} GridSettings */

/**
 * @typedef {object} ExportSettings
 * @property {string} kind of path
 * @property {string} format of the file
 * @property {number} fps frames a second
 * @property {number} scale pixels a side for each of the model's
 * @property {boolean} repeat whether a GIF or WebP plays for ever
 * @property {number} pictures in a strip
 * @property {number} columns pictures in a row of a strip
 */

/**
 * @typedef {object} Animation how keyframes are played and exported
 * @property {string[]} kinds of path that are shown side by side
 * @property {string} easing
 * @property {number} framesPerLeg from a keyframe to the next, both included
 * @property {boolean} loop
 * @property {number} speed a multiple of 60 frames a second
 * @property {GridSettings} grid
 * @property {ExportSettings} export
 * @property {string} tab the panel that is shown
 */

/**
 * @typedef {object} Limits what the server takes (app/wire/limits.py); a pair is the lowest and the highest value
 * @property {number} nameLength characters of a name of a group, direction or dimension
 * @property {number} groups that may be kept
 * @property {number} directions that may be kept
 * @property {number} pathCodes codes in one live question
 * @property {number} neighbours that one question may ask for
 * @property {number} planeSide pictures a side of a plane
 * @property {number[]} keyframes
 * @property {number} keyframeName characters
 * @property {number[]} framesPerLeg
 * @property {number} frames of an animation
 * @property {number} fps frames a second
 * @property {number[]} gifDelays hundredths of a second
 * @property {number} exportSide pixels
 * @property {number} stripColumns
 * @property {number[]} gridSide codes
 * @property {number} linkLetters letters of the view in a link
 * @property {number} linkName letters of a keyframe's name in a link
 * @property {number} pictureBytes of one added picture
 * @property {number} picturesBytes of the pictures that are added in one go
 * @property {RefitLimits} refit
 */

/**
 * @typedef {object} RefitLimits
 * @property {number[]} neighbors
 * @property {number[]} minDist
 * @property {number[]} seed
 * @property {string[]} metrics
 * @property {RefitSettings} stored settings of the models' own maps
 */

/** @typedef {{neighbors: number, minDist: number, metric: string, deviations: boolean, seed: number}} RefitSettings */

/**
 * @typedef {object} PageData what Explore and Interpolate are both given
 * @property {Model} model
 * @property {string} plotlyVersion
 * @property {Limits} limits
 * @property {number[]} z code of Explore's sliders
 * @property {View} view
 * @property {string} session a token; another one when Python forgot this visit
 * @property {Picture[]} pictures
 */

/**
 * @typedef {object} ExploreOnly
 * @property {Desk<string>} desk
 * @property {number} revision another one when Python changed z or view
 * @property {string | null} chosen picture
 * @property {PictureStrip | null} strip of the chosen picture
 * @property {{name: string, image: string}[]} examples
 * @typedef {PageData & ExploreOnly} ExploreData app/components/explore.py
 */

/**
 * @typedef {object} InterpolateOnly
 * @property {{keyframes: Keyframe[], animation: Animation}} studio
 * @property {{neighbours: number, power: number}} graph that paths through the data follow
 * @typedef {PageData & InterpolateOnly} InterpolateData app/components/interpolate.py
 */

/**
 * @typedef {object} ReconstructMapData app/components/reconstruct_map.py
 * @property {Model} model
 * @property {string} plotlyVersion
 * @property {Limits} limits
 * @property {View} view
 * @property {Picture[]} pictures
 * @property {string | null} chosen
 * @property {string} card what the key of a picture's card begins with
 */

/**
 * @typedef {object} ListedModel
 * @property {string} name
 * @property {string} dimensions
 * @property {string} data
 * @property {string} strip address of its pictures, below the server's root
 */

/**
 * @typedef {object} ModelPickerData app/components/model_picker.py
 * @property {string} current
 * @property {{title: string, models: ListedModel[]}[]} groups
 */

export {};
